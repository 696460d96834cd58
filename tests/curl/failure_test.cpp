#include "r2/curl/failure.hpp"

#include <filesystem>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "curl/fixture.hpp"
#include "support/nginx.hpp"

namespace {

using namespace r2::testkit;

void expect_unsent(const r2::attempt& a, r2::errc kind, CURLcode code) {
    EXPECT_EQ(status_of(a), 0);
    EXPECT_TRUE(a.error() == kind) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::no);
    EXPECT_EQ(a.sends(), 0);
    EXPECT_EQ(a.error().code().value(), code);
    EXPECT_STREQ(a.error().code().category().name(), "curl");
    EXPECT_TRUE(a.error().code() == kind) << "as a condition";
}

TEST(failure, has_1_of_11_kinds_for_each_code) {
    const std::pair<CURLcode, r2::errc> kinds[] = {
        {CURLE_URL_MALFORMAT, r2::errc::invalid_request},
        {CURLE_COULDNT_RESOLVE_HOST, r2::errc::resolve},
        {CURLE_COULDNT_CONNECT, r2::errc::connect},
        {CURLE_PEER_FAILED_VERIFICATION, r2::errc::tls},
        {CURLE_OPERATION_TIMEDOUT, r2::errc::timeout},
        {CURLE_RECV_ERROR, r2::errc::disconnected},
        {CURLE_WEIRD_SERVER_REPLY, r2::errc::protocol},
        {CURLE_FILESIZE_EXCEEDED, r2::errc::too_large},
        {CURLE_TOO_MANY_REDIRECTS, r2::errc::too_many_redirects},
        {CURLE_SEND_FAIL_REWIND, r2::errc::body_unreadable},
        {CURLE_OUT_OF_MEMORY, r2::errc::local},
    };
    for (const auto& [number, kind] : kinds) {
        const std::error_code code(number, r2::detail::curl::category());
        EXPECT_TRUE(code == kind) << code.message();
        EXPECT_EQ(code.default_error_condition(), make_error_condition(kind)) << code.message();
        EXPECT_EQ(code.message(), curl_easy_strerror(number));
    }
    EXPECT_TRUE(std::error_code(CURLE_OPERATION_TIMEDOUT, r2::detail::curl::category()) == std::errc::timed_out);
}

TEST(failure, of_each_of_5_aborts_has_a_kind_and_a_detail) {
    using r2::detail::curl::abort_reason;
    using r2::detail::curl::detail_of;
    const std::tuple<abort_reason, r2::errc, const char*> table[] = {
        {abort_reason::resend_forbidden, r2::errc::disconnected, "the connection died"},
        {abort_reason::head_too_large, r2::errc::too_large, "the head is over 256 KiB"},
        {abort_reason::body_too_large, r2::errc::too_large, "the body is over 42 bytes"},
        {abort_reason::body_unreadable, r2::errc::body_unreadable, "the file"},
        {abort_reason::out_of_memory, r2::errc::local, "out of memory"},
    };
    for (const auto& [reason, kind, detail] : table) {
        EXPECT_EQ(r2::detail::curl::kind_of(reason), kind) << detail;
        EXPECT_TRUE(detail_of(reason, 42).starts_with(detail)) << detail_of(reason, 42);
    }
}

TEST(failure, a_refused_connection_is_tried_3_times) {
    const refusing_port nobody;
    r2::client c;
    const r2::attempt a =
        c.post(nobody.url(), "b", quick({.max_attempts = 3, .replay = r2::replay::when_safe})).finish();
    expect_unsent(a, r2::errc::connect, CURLE_COULDNT_CONNECT);
    EXPECT_EQ(a.number(), 3);
    EXPECT_EQ(a.ended(), r2::ended::exhausted);
    EXPECT_NE(a.error().message().find("127.0.0.1"), std::string::npos) << a.error().message();
}

// The resolver itself refuses a label of more than 63 bytes: no test asks a name server.
TEST(failure, a_name_under_invalid_is_looked_up_2_times) {
    r2::client c;
    const std::string url = "http://" + std::string(70, 'n') + ".invalid/";
    const r2::attempt a = c.get(url, quick({.max_attempts = 2})).finish();
    expect_unsent(a, r2::errc::resolve, CURLE_COULDNT_RESOLVE_HOST);
    EXPECT_EQ(a.number(), 2);
    EXPECT_NE(a.error().message().find(".invalid"), std::string::npos) << a.error().message();
}

TEST(failure, a_proxy_that_has_no_address_is_no_host_of_1_url) {
    r2::client c({.proxy = "http://me:secret@" + std::string(70, 'p') + ".invalid:1"});
    const r2::attempt a = c.get("http://127.0.0.1/", quick()).finish();
    expect_unsent(a, r2::errc::resolve, CURLE_COULDNT_RESOLVE_PROXY);
    EXPECT_EQ(a.error().message().find("secret"), std::string::npos) << a.error().message();
}

TEST(failure, a_timeout_in_the_connect_is_after_0_sends) {
    const full_backlog full;
    r2::client c;
    const r2::attempt a = c.post(full.url(), "b", quick({.timeout = 20ms})).finish();
    EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
    EXPECT_TRUE(a.error() == std::errc::timed_out);
    EXPECT_EQ(a.error().sent(), r2::sent::no);
    EXPECT_EQ(a.sends(), 0);
    EXPECT_GE(a.elapsed(), 20ms);
    EXPECT_NE(a.error().message().find("20ms"), std::string::npos) << a.error().message();
}

TEST(failure, the_timeout_of_the_client_for_connects_is_20_ms) {
    const full_backlog full;
    r2::client c({.connect_timeout = 20ms});
    const r2::attempt a = c.get(full.url(), quick({.max_attempts = 2})).finish();
    expect_unsent(a, r2::errc::timeout, CURLE_OPERATION_TIMEDOUT);
    EXPECT_TRUE(a.error() == std::errc::timed_out);
    EXPECT_EQ(a.number(), 2);
    EXPECT_NE(a.error().message().find("20ms"), std::string::npos) << a.error().message();
}

TEST(failure, a_timeout_after_1_send_leaves_it_open_whether_it_was_processed) {
    server s;
    s.default_answer(nothing().hang());
    r2::client c;
    // On a slow machine the time may be over before the request is sent: the next attempt tries again.
    int sends = 0;
    for (const r2::attempt& a : c.get(s.url(), quick({.max_attempts = 1000, .timeout = 200ms}))) {
        EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
        EXPECT_TRUE(a.error() == std::errc::timed_out);
        EXPECT_EQ(a.error().sent(), a.sends() == 0 ? r2::sent::no : r2::sent::maybe);
        EXPECT_GE(a.elapsed(), 200ms);
        sends += a.sends();
        if (sends > 0) break;
    }
    EXPECT_EQ(sends, 1);
    EXPECT_TRUE(s.wait_for_requests(1, patience));
}

TEST(failure, a_timeout_is_over_a_body_that_trickles_for_100_s) {
    server s;
    s.default_answer(reply(200, std::string(10'000, 't')).trickle(1, 10ms));
    r2::client c;
    const r2::attempt a = c.get(s.url(), quick({.timeout = 300ms})).finish();
    EXPECT_EQ(status_of(a), 0);
    EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
}

TEST(failure, a_deadline_cuts_the_attempt_at_20_ms) {
    const full_backlog full;
    r2::client c;
    r2::attempts range = c.get(full.url(), quick({.max_attempts = 9, .deadline = 20ms}));
    int attempts = 0;
    for (const r2::attempt& a : range) {
        ++attempts;
        EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
    }
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ(range.ended(), r2::ended::deadline);
}

// A RST may come before the connection is made.
bool broke(const r2::attempt& a, r2::errc kind) {
    return a.error() == kind || (a.error() == r2::errc::connect && a.sends() == 0);
}

TEST(failure, a_connection_that_is_dropped_in_1_of_3_ways_is_tried_2_times) {
    for (const fault& f : {fault::reset_on_accept(), fault::close_on_accept(), fault::reset_in_request(10)}) {
        server s;
        r2::client c;
        s.on_every_connection(f);
        const r2::attempt a = c.get(s.url(), quick({.max_attempts = 2})).finish();
        EXPECT_TRUE(broke(a, r2::errc::disconnected)) << a.error().message();
        EXPECT_EQ(a.error().sent(), a.sends() == 0 ? r2::sent::no : r2::sent::maybe);
        EXPECT_EQ(a.number(), 2);
        EXPECT_TRUE(s.wait_for_connections(2, patience));
    }
}

TEST(failure, of_a_large_body_a_reset_after_1000_bytes_is_disconnected) {
    server s;
    r2::client c;
    s.on_every_connection(fault::reset_in_request(1000));
    const r2::attempt a = c.post(s.url(), std::string(8 << 20, 'b'), quick()).finish();
    EXPECT_TRUE(a.error() == r2::errc::disconnected) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.sends(), 1);
    EXPECT_STREQ(a.error().code().category().name(), "curl");
}

TEST(failure, an_authorities_file_that_is_missing_is_local_and_tried_1_time) {
    server s;
    r2::client c({.ca_file = "/nowhere/ca.pem"});
    const r2::attempt a = c.get("https" + s.url().substr(4), quick({.max_attempts = 3})).finish();
    expect_unsent(a, r2::errc::local, CURLE_SSL_CACERT_BADFILE);
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
}

TEST(failure, an_own_certificate_that_is_missing_is_local_and_tried_1_time) {
    server s;
    r2::client c({.client_cert = "/nowhere/cert.pem", .client_key = "/nowhere/key.pem"});
    const r2::attempt a = c.get("https" + s.url().substr(4), quick({.max_attempts = 3})).finish();
    expect_unsent(a, r2::errc::local, CURLE_SSL_CERTPROBLEM);
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
}

class tls : public testing::Test {
protected:
    nginx& n = nginx::shared();
    r2::client trusting{{.ca_file = n.ca_file()}};
};

TEST_F(tls, a_good_certificate_lets_2_requests_through_on_1_connection) {
    const nginx own;
    for (int i = 0; i < 2; ++i) {
        const r2::attempt a = trusting.get(own.https("/hello"), quick()).finish();
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.response()->body, "hello\n");
        EXPECT_EQ(a.response()->url, own.https("/hello"));
    }
    const auto log = own.log("/hello");
    ASSERT_EQ(log.size(), 2U);
    EXPECT_EQ(log[0].connection, log[1].connection);
}

// To parse a system's authorities blocks the thread for some 30 ms: no stop and no timeout is noticed meanwhile.
TEST_F(tls, the_authorities_are_read_1_time_for_2_connections) {
    const nginx own;
    const temporary_directory d;
    const std::string copy = d / "ca.pem";
    std::filesystem::copy_file(own.ca_file(), copy);
    r2::client c({.ca_file = copy, .http_version = r2::http_version::http1_1});
    const r2::options closing = quick({.headers = {{"Connection", "close"}}});
    for (const bool first : {true, false}) {
        const r2::attempt a = c.get(own.https("/hello"), closing).finish();
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        if (first) std::filesystem::remove(copy);
    }
}

TEST_F(tls, each_of_3_bad_certificates_is_an_error_after_0_sends_and_not_tried_again) {
    r2::client stranger;
    const std::pair<r2::client*, std::string> bad[] = {{&stranger, n.https("/hello?bad")},
                                                       {&trusting, n.expired("/hello?bad")},
                                                       {&trusting, n.wrong_host("/hello?bad")}};
    for (const auto& [c, url] : bad) {
        SCOPED_TRACE(url);
        const r2::attempt a = c->post(url, "b", quick({.max_attempts = 3})).finish();
        expect_unsent(a, r2::errc::tls, CURLE_PEER_FAILED_VERIFICATION);
        EXPECT_EQ(a.ended(), r2::ended::not_retryable);
        EXPECT_EQ(a.number(), 1);
    }
    EXPECT_EQ(n.requests_seen("bad"), 0U);
}

TEST_F(tls, without_verification_all_3_bad_certificates_pass) {
    r2::client careless({.verify_tls = false});
    for (const std::string& url : {n.https("/hello"), n.expired("/hello"), n.wrong_host("/hello")})
        EXPECT_EQ(status_of(careless.get(url, quick()).finish()), 200) << url;
}

TEST_F(tls, http_2_is_spoken_in_2_ways_and_http_1_1_in_2) {
    const nginx own;
    const auto protocol_of = [&](r2::http_version v, const std::string& url, const char* mark) {
        r2::client c({.ca_file = own.ca_file(), .http_version = v});
        const r2::attempt a = c.get(url + mark, quick()).finish();
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        const auto log = own.log(mark);
        return log.empty() ? "" : log.back().protocol;
    };
    EXPECT_EQ(protocol_of(r2::http_version::any, own.https("/echo"), "?1"), "HTTP/2.0");
    EXPECT_EQ(protocol_of(r2::http_version::http2, own.https("/echo"), "?2"), "HTTP/2.0");
    EXPECT_EQ(protocol_of(r2::http_version::http2, own.h2c("/echo"), "?3"), "HTTP/2.0");
    EXPECT_EQ(protocol_of(r2::http_version::http1_1, own.https("/echo"), "?4"), "HTTP/1.1");
    EXPECT_EQ(protocol_of(r2::http_version::any, own.http("/echo"), "?5"), "HTTP/1.1");
}

// libcurl 7.88 fails the second request on such a connection (curl#10634), so each request has its own. Change this
// when r2 needs libcurl 8.0.
TEST(cleartext_http_2, serves_3_requests) {
    const nginx own;
    r2::client c({.http_version = r2::http_version::http2});
    for (int i = 0; i < 3; ++i) {
        const r2::attempt a = c.get(own.h2c("/hello"), quick()).finish();
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.sends(), 1);
    }
    for (const auto& entry : own.log("/hello")) EXPECT_EQ(entry.protocol, "HTTP/2.0");
}

TEST_F(tls, over_http_2_a_file_of_3_mib_comes_and_goes) {
    const nginx own;
    const temporary_directory d;
    const std::string text = all_bytes(3 << 20);
    r2::client c({.ca_file = own.ca_file()});
    const r2::attempt put = c.put(own.https("/put/f"), r2::body::file(d.file("f", text)), quick()).finish();
    EXPECT_EQ(status_of(put), 201) << put.error().message();
    const r2::attempt got = c.get(own.https("/put/f"), quick()).finish();
    ASSERT_EQ(status_of(got), 200) << got.error().message();
    EXPECT_TRUE(got.response()->body == text);
    const r2::attempt over = c.get(own.https("/put/f"), quick({.max_body = (3 << 20) - 1})).finish();
    EXPECT_TRUE(over.error() == r2::errc::too_large) << over.error().message();
}

TEST_F(tls, to_a_port_of_plain_http_it_is_a_verdict_and_tried_1_time) {
    const r2::attempt a = trusting.get("https" + n.http("/hello?plain").substr(4), quick({.max_attempts = 3})).finish();
    expect_unsent(a, r2::errc::tls, CURLE_SSL_CONNECT_ERROR);
    EXPECT_EQ(a.number(), 1);
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
    EXPECT_EQ(n.requests_seen("plain"), 0U);
}

TEST_F(tls, a_handshake_that_breaks_off_is_tried_3_times) {
    for (const fault& f : {fault::reset_on_accept(), fault::close_on_accept(), fault::reset_in_request(20)}) {
        server s;
        s.on_every_connection(f);
        const r2::attempt a = trusting.get("https" + s.url().substr(4), quick({.max_attempts = 3})).finish();
        EXPECT_TRUE(broke(a, r2::errc::tls)) << a.error().message();
        EXPECT_EQ(a.error().sent(), r2::sent::no);
        EXPECT_EQ(a.sends(), 0);
        EXPECT_EQ(a.number(), 3);
        EXPECT_EQ(a.ended(), r2::ended::exhausted);
    }
}

TEST_F(tls, a_handshake_that_hangs_is_a_timeout_after_0_sends) {
    server s;
    s.on_every_connection(fault::hang_on_accept());
    r2::client hasty({.connect_timeout = 50ms});
    expect_unsent(hasty.get("https" + s.url().substr(4), quick()).finish(), r2::errc::timeout,
                  CURLE_OPERATION_TIMEDOUT);
}

TEST_F(tls, no_message_of_its_4_errors_has_a_secret) {
    const std::string hosts[] = {n.expired(""), n.wrong_host(""), "https" + n.http("").substr(4),
                                 "https" + refusing_port().url("").substr(4)};
    for (const std::string& host : hosts) {
        const std::string url = "https://me:secret@" + host.substr(8) + "/secret?secret";
        const r2::attempt a = trusting.get(url, quick({.headers = {{"Authorization", "secret"}}})).finish();
        EXPECT_EQ(status_of(a), 0);
        EXPECT_EQ(a.error().message().find("secret"), std::string::npos) << a.error().message();
    }
}

}  // namespace
