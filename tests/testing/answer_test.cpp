#include "r2/testing/answer.hpp"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>

#include "r2/testing/server.hpp"
#include "testing/clients.hpp"

namespace {

using namespace r2::testing;
using namespace r2::testkit;
using namespace std::chrono_literals;

TEST(answer, says_raw_bytes_around_a_silence) {
    server s;
    s.script({raw("garb").pause(120ms).then("age").close()});
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.piece(), "garb");
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_EQ(c.piece(), "age");
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), 0);
}

TEST(answer, comes_120_ms_late) {
    server s;
    s.script({late(120ms, reply(200, "x"))});
    socket_client c(s.port());
    c.get();
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_TRUE(c.until("x").ends_with("\r\n\r\nx"));
}

TEST(answer, trickles_6_bytes_in_pieces_of_2) {
    server s;
    s.script({raw("abcdef").trickle(2, 40ms).then("gh")});
    socket_client c(s.port());
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
    socket_client c(s.port());
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
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.rest(), "abcabcabcabcabcabcabc");
}

TEST(answer, repeats_endlessly_until_the_peer_leaves) {
    server s;
    s.script({raw("HTTP/1.1 200 OK\r\n").repeat("X: y\r\n", ~0ULL)});
    socket_client c(s.port());
    c.get();
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(c.piece().empty());
    c.leave();
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, comes_in_chunks) {
    server s;
    s.script({reply(200, "replaced", {{"X", "y"}}).chunked({"hello", std::string(17, '-')})});
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.until("0\r\n\r\n"),
              "HTTP/1.1 200 \r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n11\r\n-----------------\r\n0\r\n\r\n");
    EXPECT_THROW(static_cast<void>(raw("x").chunked({"y"})), std::logic_error);
}

TEST(answer, is_cut_and_then_closed) {
    server s;
    s.script({reply(200, "hello").cut(20)});
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.rest(), "HTTP/1.1 200 \r\nConte");
    EXPECT_EQ(c.error(), 0);
}

TEST(answer, is_cut_2_bytes_into_its_body_whatever_its_head) {
    server s;
    s.script({reply(200, "half", {{"X-Long", std::string(100, 'x')}}).cut_body(2)});
    socket_client c(s.port());
    c.get();
    EXPECT_TRUE(c.rest().ends_with("\r\n\r\nha"));
    EXPECT_THROW(static_cast<void>(raw("half").cut_body(2)), std::logic_error);
}

TEST(answer, is_cut_in_a_repetition_and_then_reset) {
    server s;
    s.script({raw("<").repeat("ab", 1'000'000).then(">").cut(4).pause(60ms).reset()});
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.until("<aba"), "<aba");
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), ECONNRESET);
}

TEST(answer, closes_orderly) {
    server s;
    s.script({reply(200).close()});
    socket_client c(s.port());
    c.get();
    EXPECT_TRUE(c.rest().ends_with("\r\n\r\n"));
    EXPECT_EQ(c.error(), 0);
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, resets_without_a_byte) {
    server s;
    s.script({nothing().reset()});
    socket_client c(s.port());
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
    socket_client c(s.port());
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
    socket_client c(s.port());
    c.get();
    ASSERT_TRUE(s.wait_for_requests(1, patience));
    c.leave();
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(answer, kills_the_connection_when_the_next_request_comes) {
    for (const int error : {0, ECONNRESET}) {
        server s;
        const answer first = reply(200, "1");
        s.script({error == 0 ? first.close_at_next_request() : first.reset_at_next_request()});
        socket_client c(s.port());
        c.get("/first");
        c.until("1");
        EXPECT_TRUE(c.silent_for(30ms));
        c.get("/second");
        EXPECT_EQ(c.piece(), "");
        EXPECT_EQ(c.error(), error);
        ASSERT_EQ(s.request_count(), 2U);
        EXPECT_EQ(s.requests()[1].target, "/second");
        EXPECT_EQ(s.requests()[1].connection, 1);
    }
}

TEST(answer, that_goes_on_with_another_takes_over_the_reset_in_10_bytes_of_the_next_request) {
    server s;
    s.script({raw("HTTP/1.1 103 Early Hints\r\n\r\n").then(reply(200, "1").reset_in_next_request(10))});
    socket_client c(s.port());
    c.get("/first");
    c.until("1");
    c.get("/second");
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), ECONNRESET);
    EXPECT_EQ(s.request_count(), 1U);
    EXPECT_EQ(s.begun(), 2U);
}

TEST(answer, to_a_killed_reuse_is_sent_again_by_curl_itself) {
    server s;
    s.script({reply(200).reset_at_next_request(), reply(201)});
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
    EXPECT_EQ(s.request_count(), 2U);
    EXPECT_EQ(s.connections(), 2U);
}

TEST(answer, sends_an_interim_response_first) {
    server s;
    s.script({raw("HTTP/1.1 103 Early Hints\r\n\r\n").pause(10ms).then(reply(200, "body"))});
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(e.status(), 200);
    EXPECT_EQ(e.received, 4U);
}

}  // namespace
