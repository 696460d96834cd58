#include "server.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <thread>

#include "sockets.hpp"

namespace {

using namespace r2::testkit;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr milliseconds patience = 30s;

class stopwatch {
public:
    milliseconds elapsed() const { return std::chrono::duration_cast<milliseconds>(clock_type::now() - begin_); }

private:
    clock_type::time_point begin_ = clock_type::now();
};

/// A blocking socket that gives up after 30 seconds.
class client {
public:
    explicit client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval limit{30, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        const sockaddr_in address = loopback(port);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) error_ = errno;
    }

    ~client() { leave(); }
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    void leave() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    void say(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                error_ = errno;
                return;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    void get(std::string_view target = "/") { say("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"); }

    /// One read; "" at the end and on an error, which error() tells apart.
    std::string piece() {
        std::array<char, 65536> buffer;
        const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        error_ = got < 0 ? errno : 0;
        return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }

    std::string rest() {
        std::string all;
        for (auto part = piece(); !part.empty(); part = piece()) all += part;
        return all;
    }

    std::string until(std::string_view end) {
        std::string all;
        while (!all.ends_with(end)) {
            const auto part = piece();
            if (part.empty()) break;
            all += part;
        }
        return all;
    }

    bool silent_for(milliseconds time) const {
        pollfd polled{fd_, POLLIN, 0};
        return ::poll(&polled, 1, static_cast<int>(time.count())) == 0;
    }

    int error() const { return error_; }
    int descriptor() const { return fd_; }

private:
    int fd_;
    int error_ = 0;
};

std::size_t discard(char*, std::size_t size, std::size_t count, void* counted) {
    *static_cast<std::uint64_t*>(counted) += size * count;
    return size * count;
}

struct easy {
    CURL* handle = curl_easy_init();
    std::uint64_t received = 0;

    easy() {
        set(CURLOPT_TIMEOUT_MS, 10'000L);
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROXY, "");
        set(CURLOPT_WRITEFUNCTION, &discard);
        set(CURLOPT_WRITEDATA, &received);
    }

    ~easy() { curl_easy_cleanup(handle); }
    easy(const easy&) = delete;
    easy& operator=(const easy&) = delete;

    template <class value> void set(CURLoption option, value what) { curl_easy_setopt(handle, option, what); }

    CURLcode run(const std::string& url) {
        received = 0;
        set(CURLOPT_URL, url.c_str());
        return curl_easy_perform(handle);
    }

    long status() const {
        long code = 0;
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
        return code;
    }
};

std::size_t upload_pattern(char* to, std::size_t size, std::size_t count, void* left) {
    auto& remaining = *static_cast<std::uint64_t*>(left);
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, remaining));
    std::fill_n(to, piece, 'u');
    remaining -= piece;
    return piece;
}

TEST(server, plays_a_script_in_order_and_then_the_default) {
    server s;
    s.script({reply(503, "busy", {{"Retry-After", "1"}}), reply(404)});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.until("busy"), "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy");
    c.get();
    EXPECT_EQ(c.until("\r\n\r\n"), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    c.get();
    EXPECT_EQ(c.until("ok"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(s.connections(), 1U);
    EXPECT_EQ(s.count(), 3U);
}

TEST(server, prefers_the_script_of_a_path_then_the_script_then_the_handler) {
    server s;
    s.on("/a", {reply(201)});
    s.script({reply(202)});
    s.handle([](const seen& request) { return reply(request.method == "GET" ? 404 : 500); });
    easy e;
    e.run(s.url("/a?query"));
    EXPECT_EQ(e.status(), 201);
    e.run(s.url("/a"));
    EXPECT_EQ(e.status(), 202);
    e.run(s.url("/a"));
    EXPECT_EQ(e.status(), 404);
}

TEST(server, turns_a_throwing_handler_into_a_500) {
    server s;
    s.handle([](const seen&) -> answer { throw std::runtime_error("no"); });
    easy e;
    e.run(s.url());
    EXPECT_EQ(e.status(), 500);
}

TEST(server, records_what_a_request_said) {
    server s;
    client c(s.port());
    const std::string head =
        "PUT /x?y=1 HTTP/1.1\r\nHost: h\r\nX-One:  first \r\nx-one: second\r\nEmpty:\r\nContent-Length: 3";
    c.say(head + "\r\n\r\nabc");
    c.until("ok");
    const auto all = s.requests();
    ASSERT_EQ(all.size(), 1U);
    const auto& r = all.front();
    EXPECT_EQ(r.method, "PUT");
    EXPECT_EQ(r.target, "/x?y=1");
    EXPECT_EQ(r.head, head);
    EXPECT_EQ(r.header("X-ONE"), "first");
    EXPECT_TRUE(r.has("empty"));
    EXPECT_FALSE(r.has("put /x?y=1 http/1.1"));
    EXPECT_EQ(r.header("nothing"), "");
    EXPECT_EQ(r.body, "abc");
    EXPECT_EQ(r.body_size, 3U);
    EXPECT_EQ(r.body_hash, fnv1a("abc"));
    EXPECT_EQ(r.connection, 1);
    EXPECT_TRUE(r.complete);
}

TEST(server, decodes_a_chunked_request_that_comes_byte_by_byte) {
    server s;
    client c(s.port());
    const std::string_view request =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
    for (const char byte : request) c.say({&byte, 1});
    c.until("ok");
    ASSERT_EQ(s.count(), 1U);
    EXPECT_EQ(s.requests()[0].body, "abc0123456789");
    EXPECT_TRUE(s.requests()[0].complete);
}

TEST(server, takes_a_head_of_a_mebibyte) {
    server s;
    client c(s.port());
    const std::string value(1024 * 1024, 'v');
    c.say("GET / HTTP/1.1\r\nLong: " + value + "\r\n\r\n");
    c.until("ok");
    ASSERT_EQ(s.count(), 1U);
    EXPECT_EQ(s.requests()[0].header("long"), value);
}

TEST(server, hashes_an_upload_of_64_mebibytes_without_keeping_it) {
    server s;
    s.keep_bodies(false);
    constexpr std::uint64_t size = 64U * 1024 * 1024;
    std::uint64_t left = size;
    easy e;
    e.set(CURLOPT_UPLOAD, 1L);
    e.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    e.set(CURLOPT_READFUNCTION, &upload_pattern);
    e.set(CURLOPT_READDATA, &left);
    curl_slist* no_expect = curl_slist_append(nullptr, "Expect:");
    e.set(CURLOPT_HTTPHEADER, no_expect);
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    curl_slist_free_all(no_expect);
    const auto request = s.requests().at(0);
    EXPECT_EQ(request.body_size, size);
    EXPECT_EQ(request.body, "");
    std::uint64_t expected = fnv1a("");
    const std::string mebibyte(1024 * 1024, 'u');
    for (int i = 0; i < 64; ++i) expected = fnv1a(mebibyte, expected);
    EXPECT_EQ(request.body_hash, expected);
}

TEST(server, gives_head_requests_and_bodiless_statuses_no_body) {
    server s;
    s.script({reply(200, "body"), reply(204, "body"), reply(200).chunked({"a"}), reply(200, "end")});
    client c(s.port());
    c.say("HEAD / HTTP/1.1\r\n\r\n");
    c.get();
    c.say("HEAD / HTTP/1.1\r\n\r\n");
    c.get();
    EXPECT_EQ(c.until("end"),
              "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
              "HTTP/1.1 204 No Content\r\n\r\n"
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
}

TEST(server, lets_a_given_content_length_lie) {
    server s;
    s.script({reply(200, "short", {{"Content-Length", "10"}}).close()});
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_PARTIAL_FILE);
}

TEST(server, counts_without_recording_if_told_so) {
    server s;
    s.keep_requests(false);
    easy e;
    e.run(s.url());
    EXPECT_EQ(s.count(), 1U);
    EXPECT_TRUE(s.requests().empty());
}

TEST(answer, says_raw_bytes_around_a_silence) {
    server s;
    s.script({raw("garb").after(120ms).then("age").close()});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.piece(), "garb");
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_EQ(c.piece(), "age");
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), 0);
}

TEST(answer, comes_late) {
    server s;
    s.script({late(120ms, reply(200, "x"))});
    client c(s.port());
    c.get();
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_TRUE(c.until("x").ends_with("\r\n\r\nx"));
}

TEST(answer, trickles_in_pieces) {
    server s;
    s.script({raw("abcdef").trickle(2, 40ms).then("gh")});
    client c(s.port());
    c.get();
    const stopwatch watch;
    EXPECT_EQ(c.piece(), "ab");
    EXPECT_EQ(c.piece(), "cd");
    EXPECT_EQ(c.until("gh"), "efgh");
    EXPECT_GE(watch.elapsed(), 75ms);
}

TEST(answer, repeats_a_pattern_a_counted_number_of_times) {
    server s;
    s.script({raw("<").repeat("0123456789", 100'000).then(">").close()});
    client c(s.port());
    c.get();
    const auto all = c.rest();
    ASSERT_EQ(all.size(), 1'000'002U);
    EXPECT_EQ(all.substr(0, 12), "<01234567890");
    EXPECT_EQ(all.substr(65'531, 12), "012345678901");
    EXPECT_EQ(all.substr(999'999), "89>");
}

TEST(answer, repeats_in_pieces_that_do_not_fit_the_pattern) {
    server s;
    s.script({answer{}.repeat("abc", 7).trickle(5, 1ms).close()});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.rest(), "abcabcabcabcabcabcabc");
}

TEST(answer, repeats_endlessly_until_the_peer_leaves) {
    server s;
    s.script({raw("HTTP/1.1 200 OK\r\n").repeat("X: y\r\n", ~0ULL)});
    client c(s.port());
    c.get();
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(c.piece().empty());
    c.leave();
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, comes_in_chunks) {
    server s;
    s.script({reply(200, "replaced", {{"X", "y"}}).chunked({"hello", std::string(17, '-')})});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.until("0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n11\r\n-----------------\r\n0\r\n\r\n");
    EXPECT_THROW(static_cast<void>(raw("x").chunked({"y"})), std::logic_error);
}

TEST(answer, is_cut_and_then_closed) {
    server s;
    s.script({reply(200, "hello").cut(20)});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.rest(), "HTTP/1.1 200 OK\r\nCon");
    EXPECT_EQ(c.error(), 0);
}

TEST(answer, is_cut_in_a_repetition_and_then_reset) {
    server s;
    s.script({raw("<").repeat("ab", 1'000'000).then(">").cut(4).after(60ms).reset()});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.until("<aba"), "<aba");
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), ECONNRESET);
}

TEST(answer, closes_orderly) {
    server s;
    s.script({reply(200).close()});
    client c(s.port());
    c.get();
    EXPECT_TRUE(c.rest().ends_with("\r\n\r\n"));
    EXPECT_EQ(c.error(), 0);
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, resets_without_a_byte) {
    server s;
    s.script({nothing().reset()});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), ECONNRESET);
    easy e;
    s.script({nothing().reset(), nothing().close()});
    EXPECT_EQ(e.run(s.url()), CURLE_RECV_ERROR);
    EXPECT_EQ(e.run(s.url()), CURLE_GOT_NOTHING);
}

TEST(answer, hangs_until_the_peer_leaves) {
    server s;
    s.script({raw("HTTP/1.1 2").hang()});
    client c(s.port());
    c.get();
    EXPECT_EQ(c.piece(), "HTTP/1.1 2");
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_EQ(s.open_connections(), 1U);
    c.leave();
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, lets_the_peer_leave_during_a_silence) {
    server s;
    s.script({late(60s, reply(200))});
    client c(s.port());
    c.get();
    ASSERT_TRUE(s.wait_for_requests(1, patience));
    c.leave();
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, kills_the_connection_when_the_next_request_comes) {
    for (const auto& first :
         {reply(200, "1").close_when_idle_request_comes(), reply(200, "1").reset_when_idle_request_comes()}) {
        server s;
        s.script({first});
        client c(s.port());
        c.get("/first");
        c.until("1");
        EXPECT_TRUE(c.silent_for(30ms));
        c.get("/second");
        EXPECT_EQ(c.piece(), "");
        EXPECT_EQ(c.error(), first.next_request() == answer::ending::reset ? ECONNRESET : 0);
        ASSERT_EQ(s.count(), 2U);
        EXPECT_EQ(s.requests()[1].target, "/second");
        EXPECT_EQ(s.requests()[1].connection, 1);
    }
}

TEST(answer, to_a_killed_reuse_is_sent_again_by_curl_itself) {
    server s;
    s.script({reply(200).reset_when_idle_request_comes(), reply(201)});
    easy e;
    e.set(CURLOPT_POSTFIELDS, "x");
    EXPECT_EQ(e.run(s.url("/first")), CURLE_OK);
    EXPECT_EQ(e.run(s.url("/second")), CURLE_OK);
    EXPECT_EQ(e.status(), 201);
    const auto all = s.requests();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1].target, "/second");
    EXPECT_EQ(all[2].target, "/second");
    EXPECT_EQ(all[1].connection, 1);
    EXPECT_EQ(all[2].connection, 2);
}

TEST(answer, closes_an_idle_connection_that_curl_then_does_not_reuse) {
    server s;
    s.script({reply(200).close()});
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    ASSERT_TRUE(s.wait_until_all_left(patience));
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(s.count(), 2U);
    EXPECT_EQ(s.connections(), 2U);
}

TEST(answer, sends_an_interim_response_first) {
    server s;
    s.script({raw("HTTP/1.1 103 Early Hints\r\n\r\n").after(10ms).then(reply(200, "body"))});
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(e.status(), 200);
    EXPECT_EQ(e.received, 4U);
}

TEST(expect, is_not_answered_unless_scripted) {
    server s;
    client c(s.port());
    c.say("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_EQ(s.count(), 0U);
    c.say("x");
    EXPECT_TRUE(c.until("ok").starts_with("HTTP/1.1 200"));
}

TEST(expect, gets_the_scripted_answer_before_the_body) {
    server s;
    s.on_expect(raw("HTTP/1.1 100 Continue\r\n\r\n"));
    const std::string_view head = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    client c(s.port());
    c.say(head);
    EXPECT_EQ(c.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    c.say("x");
    c.until("ok");
    s.on_expect(reply(417).close());
    c.say(head);
    EXPECT_TRUE(c.rest().starts_with("HTTP/1.1 417"));
    ASSERT_EQ(s.count(), 2U);
    EXPECT_TRUE(s.requests()[0].complete);
    EXPECT_FALSE(s.requests()[1].complete);
}

TEST(fault, resets_on_acceptance) {
    server s;
    s.on_connection(1, accept_and_reset());
    client c(s.port());
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), ECONNRESET);
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(s.connections(), 2U);
}

TEST(fault, closes_on_acceptance_without_a_reset) {
    server s;
    s.on_every_connection(accept_and_close());
    client c(s.port());
    c.get();
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), 0);
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_GOT_NOTHING);
    EXPECT_EQ(s.count(), 0U);
}

TEST(fault, hangs_on_acceptance) {
    server s;
    s.on_every_connection(accept_and_hang());
    s.on_connection(2, no_fault());
    easy e;
    e.set(CURLOPT_TIMEOUT_MS, 80L);
    EXPECT_EQ(e.run(s.url()), CURLE_OPERATION_TIMEDOUT);
    e.set(CURLOPT_TIMEOUT_MS, 10'000L);
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(s.count(), 1U);
}

TEST(fault, resets_within_a_request_and_logs_it_only_if_its_head_was_read) {
    server s;
    s.on_connection(1, reset_in_request(10));
    s.on_connection(2, reset_in_request(45));
    for (int i = 0; i < 2; ++i) {
        client c(s.port());
        c.say("PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'b'));
        EXPECT_EQ(c.piece(), "");
        EXPECT_EQ(c.error(), ECONNRESET);
    }
    ASSERT_EQ(s.count(), 1U);
    const auto request = s.requests()[0];
    EXPECT_EQ(request.connection, 2);
    EXPECT_FALSE(request.complete);
    EXPECT_EQ(request.body.size(), 6U);
}

TEST(fault, stops_reading_after_the_head_so_that_an_upload_stalls) {
    server s;
    s.on_every_connection(read_head_then_stop_reading());
    client c(s.port());
    ::fcntl(c.descriptor(), F_SETFL, O_NONBLOCK);
    c.say("PUT / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n");
    ASSERT_TRUE(s.wait_for_requests(1, patience));
    const std::string mebibyte(1024 * 1024, 'b');
    std::size_t sent = 0;
    pollfd polled{c.descriptor(), POLLOUT, 0};
    while (sent < 100'000'000U && ::poll(&polled, 1, 200) == 1) {
        const auto got = ::send(c.descriptor(), mebibyte.data(), mebibyte.size(), MSG_NOSIGNAL);
        if (got > 0) sent += static_cast<std::size_t>(got);
    }
    EXPECT_LT(sent, 16'000'000U);
    EXPECT_FALSE(s.requests()[0].complete);
}

TEST(fault, answers_before_the_body_was_read) {
    server s;
    s.on_every_connection(answer_after_head(reply(413, "too big")));
    client c(s.port());
    c.say("PUT / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'b'));
    EXPECT_TRUE(c.rest().ends_with("too big"));
    EXPECT_EQ(c.error(), 0);
    EXPECT_FALSE(s.requests().at(0).complete);
}

TEST(server, logs_a_request_whose_sender_leaves_within_the_body) {
    server s;
    client c(s.port());
    c.say("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    c.leave();
    ASSERT_TRUE(s.wait_for_requests(1, patience));
    EXPECT_EQ(s.requests()[0].body, "abc");
    EXPECT_FALSE(s.requests()[0].complete);
}

TEST(server, waits_a_bounded_time) {
    server s;
    EXPECT_FALSE(s.wait_for_requests(1, 20ms));
    EXPECT_FALSE(s.wait_for_connections(1, 20ms));
    client c(s.port());
    EXPECT_TRUE(s.wait_for_connections(1, patience));
    EXPECT_FALSE(s.wait_until_all_left(20ms));
}

TEST(server, is_destroyed_promptly_whatever_its_connections_do) {
    std::vector<std::unique_ptr<client>> clients;
    std::thread greedy;
    stopwatch watch;
    {
        server s;
        s.on("/hang", {nothing().hang()});
        s.on("/late", {late(60s, reply(200))});
        s.on("/trickle", {reply(200, std::string(1000, 'x')).trickle(1, 100ms)});
        s.on("/endless", {raw("HTTP/1.1 200 OK\r\n\r\n").repeat("x", ~0ULL), raw("").repeat("x", ~0ULL)});
        s.on_connection(1, accept_and_hang());
        s.on_connection(2, accept_and_close());
        s.on_connection(3, answer_after_head(reply(200)));
        const auto open = [&](std::string_view target) {
            auto& c = *clients.emplace_back(std::make_unique<client>(s.port()));
            c.get(target);
            EXPECT_TRUE(s.wait_for_connections(clients.size(), patience));
        };
        for (const auto* target : {"/", "/", "/", "/hang", "/late", "/trickle", "/endless", "/idle", "/endless"}) {
            open(target);
        }
        clients.emplace_back(std::make_unique<client>(s.port()))->say("GET / HT");
        EXPECT_TRUE(s.wait_for_requests(7, patience));
        greedy = std::thread([&c = *clients[8]] {
            while (!c.piece().empty()) {
            }
        });
        EXPECT_TRUE(s.wait_for_connections(clients.size(), patience));
        watch = {};
    }
    EXPECT_LT(watch.elapsed(), 2s);
    greedy.join();
}

TEST(server, serves_many_connections_at_once) {
    server s;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&s] {
            easy e;
            for (int j = 0; j < 50; ++j) EXPECT_EQ(e.run(s.url()), CURLE_OK);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(s.count(), 800U);
    EXPECT_EQ(s.connections(), 16U);
}

// Whoever waits for a request may send the next one at once: the script must not be open to that one first.
TEST(server, gives_the_answers_of_its_script_in_the_order_it_saw_400_requests) {
    server s;
    s.script([] {
        std::vector<answer> numbered;
        for (int i = 0; i < 400; ++i) numbered.push_back(reply(200, std::to_string(i) + "#"));
        return numbered;
    }());
    std::array<std::vector<std::string>, 8> got;
    std::vector<std::thread> threads;
    for (std::size_t id = 0; id < got.size(); ++id)
        threads.emplace_back([&, id] {
            client c(s.port());
            for (int j = 0; j < 50; ++j) {
                c.get("/" + std::to_string(id));
                got[id].push_back(c.until("#"));
            }
        });
    for (auto& thread : threads) thread.join();
    std::array<std::size_t, 8> next{};
    const auto log = s.requests();
    ASSERT_EQ(log.size(), 400U);
    for (std::size_t i = 0; i < log.size(); ++i) {
        const auto id = static_cast<std::size_t>(std::stoi(log[i].target.substr(1)));
        EXPECT_TRUE(got[id][next[id]++].ends_with("\r\n" + std::to_string(i) + "#"));
    }
}

TEST(refusing_port, refuses) {
    const refusing_port p;
    EXPECT_EQ(client(p.port()).error(), ECONNREFUSED);
    easy e;
    EXPECT_EQ(e.run(p.url()), CURLE_COULDNT_CONNECT);
}

TEST(full_backlog, leaves_a_connection_pending) {
    const full_backlog f;
    easy e;
    e.set(CURLOPT_CONNECTTIMEOUT_MS, 200L);
    const stopwatch watch;
    EXPECT_EQ(e.run(f.url()), CURLE_OPERATION_TIMEDOUT);
    EXPECT_GE(watch.elapsed(), 190ms);
    curl_off_t connected = -1;
    curl_easy_getinfo(e.handle, CURLINFO_CONNECT_TIME_T, &connected);
    EXPECT_EQ(connected, 0);
}

}  // namespace
