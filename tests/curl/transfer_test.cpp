#include "r2/curl/transfer.hpp"

#include <string>
#include <vector>

#include "curl/fixture.hpp"

// A connection dies with a request on it. libcurl alone would send the request again, and not report it.

namespace {

using namespace r2::testkit;

const answer killers[] = {reply(200, "first").reset_at_next_request(), reply(200, "first").close_at_next_request()};

/// A connection that dies after it has read the next request whole.
class dying_connection {
public:
    explicit dying_connection(const answer& killer, std::vector<answer> then = {}) {
        s.on("/first", {killer});
        s.script(std::move(then));
        const r2::attempt a = c.get(s.url("/first"), quick()).finish();
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        sends = a.sends();
    }

    r2::attempt send(r2::request q, r2::options o = {}) {
        q.url = s.url("/second");
        r2::attempts range = c.send(std::move(q), quick(std::move(o)));
        r2::attempt last = range.finish();
        sends += last.sends();
        return last;
    }

    server s;
    r2::client c;
    int sends = 0;
};

TEST(resend, a_get_whose_reused_connection_dies_is_sent_2_times_in_1_attempt) {
    for (const answer& killer : killers) {
        dying_connection d(killer);
        const r2::attempt a = d.send({.method = "GET"});
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.sends(), 2);
        EXPECT_EQ(a.number(), 1);
        EXPECT_EQ(d.s.request_count(), 3U);
        EXPECT_EQ(d.sends, 3);
        EXPECT_EQ(d.s.connections(), 2U);
    }
}

TEST(resend, each_of_14_dead_connections_costs_1_client_no_attempt) {
    server s;
    const r2::client c;
    for (int i = 0; i < 14; ++i) {
        const std::string path = "/" + std::to_string(i);
        s.on(path, {reply(200, "first").close_at_next_request()});
        EXPECT_EQ(status_of(c.get(s.url(path), quick()).finish()), 200);
        const r2::attempt a = c.get(s.url("/second"), quick()).finish();
        EXPECT_EQ(status_of(a), 200) << i << ": " << a.error().message();
        EXPECT_EQ(a.sends(), 2);
    }
}

TEST(resend, a_post_whose_reused_connection_dies_is_sent_1_time) {
    for (const answer& killer : killers) {
        dying_connection d(killer);
        const r2::attempt a = d.send({.method = "POST", .body = "pay"});
        EXPECT_EQ(status_of(a), 0);
        EXPECT_TRUE(a.error() == r2::errc::disconnected) << a.error().message();
        EXPECT_EQ(a.error().sent(), r2::sent::maybe);
        EXPECT_EQ(a.sends(), 1);
        EXPECT_EQ(d.s.request_count(), 2U);
        EXPECT_EQ(d.sends, 2);
    }
}

TEST(resend, a_post_with_an_idempotency_key_is_sent_2_times) {
    for (const answer& killer : killers) {
        dying_connection d(killer);
        const r2::attempt a = d.send({.method = "POST", .body = "pay"}, {.idempotency_key = "k1"});
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.sends(), 2);
        const std::vector<recorded_request> all = d.s.requests();
        ASSERT_EQ(all.size(), 3U);
        EXPECT_EQ(d.sends, 3);
        for (int i : {1, 2}) {
            EXPECT_EQ(all[i].body, "pay");
            EXPECT_EQ(all[i].headers.get("Idempotency-Key").value_or(""), "k1");
        }
        EXPECT_EQ(all[1].head, all[2].head);
    }
}

struct send_again {
    const char* method;
    bool safe;
};

TEST(resend, of_11_methods_the_6_idempotent_ones_are_sent_again) {
    constexpr send_again table[] = {{"GET", true},   {"HEAD", true},    {"PUT", true},   {"DELETE", true},
                                    {"TRACE", true}, {"OPTIONS", true}, {"POST", false}, {"PATCH", false},
                                    {"get", false},  {"PURGE", false},  {"MKCOL", false}};
    for (const auto& [method, safe] : table) {
        SCOPED_TRACE(method);
        dying_connection d(killers[0]);
        const r2::attempt a = d.send({.method = method});
        EXPECT_EQ(a.sends(), safe ? 2 : 1);
        EXPECT_EQ(status_of(a), safe ? 200 : 0);
        EXPECT_EQ(d.s.request_count(), static_cast<std::size_t>(d.sends));
    }
}

TEST(resend, a_file_of_3_mib_is_replayed_byte_for_byte) {
    const temporary_directory dir;
    const std::string text = all_bytes(3 << 20);
    for (const answer& killer : killers) {
        dying_connection d(killer);
        const r2::attempt a = d.send({.method = "PUT", .body = r2::body::file(dir.file("f", text))});
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.sends(), 2);
        const std::vector<recorded_request> all = d.s.requests();
        ASSERT_EQ(all.size(), 3U);
        for (int i : {1, 2}) {
            EXPECT_TRUE(all[i].complete);
            EXPECT_EQ(all[i].headers.get("Content-Length").value_or(""), "3145728");
            EXPECT_TRUE(all[i].body == text);
        }
    }
}

TEST(resend, a_text_of_3_mib_is_replayed_byte_for_byte) {
    const std::string text = all_bytes(3 << 20);
    dying_connection d(killers[0]);
    EXPECT_EQ(d.send({.method = "PUT", .body = text}).sends(), 2);
    ASSERT_EQ(d.s.request_count(), 3U);
    EXPECT_TRUE(d.s.requests()[1].body == text);
    EXPECT_TRUE(d.s.requests()[2].body == text);
}

TEST(resend, a_second_death_ends_the_attempt_after_2_sends) {
    for (const answer& killer : killers) {
        dying_connection d(killer, {nothing().reset()});
        const r2::attempt a = d.send({.method = "GET"});
        EXPECT_TRUE(a.error() == r2::errc::disconnected) << a.error().message();
        EXPECT_EQ(a.error().sent(), r2::sent::maybe);
        EXPECT_EQ(a.sends(), 2);
        EXPECT_EQ(d.s.request_count(), 3U);
        EXPECT_EQ(d.sends, 3);
    }
}

TEST(resend, a_fresh_connection_that_dies_is_no_reason_for_a_second_of_1_send) {
    for (const answer& death : {nothing().close(), nothing().reset()}) {
        server s;
        r2::client c;
        s.script({death});
        const r2::attempt a = c.get(s.url(), quick()).finish();
        EXPECT_TRUE(a.error() == r2::errc::disconnected) << a.error().message();
        EXPECT_EQ(a.error().sent(), r2::sent::maybe);
        EXPECT_EQ(a.sends(), 1);
        EXPECT_EQ(s.request_count(), 1U);
    }
}

TEST(resend, a_reused_connection_that_dies_within_the_response_is_no_reason_for_a_second_of_1_send) {
    server s;
    r2::client c;
    s.script({reply(200, "ok"), reply(200, "0123456789").cut(30).reset()});
    c.get(s.url(), quick()).finish();
    const r2::attempt a = c.get(s.url(), quick()).finish();
    EXPECT_TRUE(a.error() == r2::errc::disconnected) << a.error().message();
    EXPECT_EQ(a.sends(), 1);
    EXPECT_EQ(s.request_count(), 2U);
}

TEST(resend, over_2_attempts_a_post_is_sent_2_times) {
    dying_connection d(killers[0]);
    r2::attempts range = d.c.post(d.s.url("/second"), "pay", quick({.max_attempts = 2}));
    std::vector<int> sends;
    for (const r2::attempt& a : range) sends.push_back(a.sends());
    EXPECT_EQ(sends, (std::vector{1, 1}));
    EXPECT_EQ(range.ended(), r2::ended::succeeded);
    EXPECT_EQ(d.s.request_count(), 3U);
}

TEST(resend, where_only_what_is_safe_is_replayed_a_post_is_sent_1_time) {
    dying_connection d(killers[0]);
    const r2::attempt a =
        d.send({.method = "POST", .body = "pay"}, {.max_attempts = 5, .replay = r2::replay::when_safe});
    EXPECT_EQ(a.ended(), r2::ended::unsafe_to_replay);
    EXPECT_EQ(a.number(), 1);
    EXPECT_EQ(d.s.request_count(), 2U);
}

TEST(resend, a_redirected_post_whose_connection_dies_at_hop_2_is_sent_2_times) {
    server s;
    r2::client c;
    s.on("/from", {reply(307, "", {{"Location", "/to"}}).reset_at_next_request()});
    const r2::attempt a = c.post(s.url("/from"), "pay", quick()).finish();
    EXPECT_TRUE(a.error() == r2::errc::disconnected) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.sends(), 2);
    EXPECT_EQ(s.request_count(), 2U);
}

TEST(resend, a_redirected_get_whose_connection_dies_at_hop_2_is_sent_3_times) {
    server s;
    r2::client c;
    s.on("/from", {reply(302, "", {{"Location", "/to"}}).close_at_next_request()});
    const r2::attempt a = c.get(s.url("/from"), quick()).finish();
    EXPECT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.sends(), 3);
    EXPECT_EQ(s.request_count(), 3U);
}

// The FIN arrives before the next request: libcurl sees it and opens another connection.
TEST(resend, a_request_after_an_idle_close_is_sent_1_time_on_connection_2) {
    for (const char* method : {"POST", "PATCH", "GET", "PUT"}) {
        server s;
        r2::client c;
        s.script({reply(200, "first").close()});
        EXPECT_EQ(c.get(s.url(), quick()).finish().sends(), 1);
        ASSERT_TRUE(s.wait_until_all_left(patience));
        const r2::attempt a = c.send({.method = method, .url = s.url(), .body = "pay"}, quick()).finish();
        EXPECT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.sends(), 1);
        EXPECT_EQ(s.request_count(), 2U);
        EXPECT_EQ(s.connections(), 2U);
        EXPECT_EQ(s.requests().back().body, "pay");
    }
}

TEST(resend, digest_authentication_is_let_through_in_2_sends) {
    for (const char* method : {"GET", "POST"}) {
        server s;
        r2::client c({.configure = [](CURL* easy) {
            curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
            curl_easy_setopt(easy, CURLOPT_USERPWD, "me:secret");
        }});
        s.script({reply(401, "who?", {{"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""}}),
                  reply(200, "you")});
        const r2::attempt a = c.send({.method = method, .url = s.url(), .body = "text"}, quick()).finish();
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.response()->body, "you");
        EXPECT_FALSE(a.response()->headers.contains("WWW-Authenticate"));
        EXPECT_EQ(a.sends(), 2);
        EXPECT_EQ(s.request_count(), 2U);
        EXPECT_TRUE(s.requests().back().headers.get("Authorization").value_or("").starts_with("Digest "));
        EXPECT_EQ(s.requests().back().body, "text");
    }
}

}  // namespace
