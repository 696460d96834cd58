#include "r2/testing/server.hpp"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "testing/clients.hpp"

namespace {

using namespace r2::testing;
using namespace r2::testkit;
using namespace std::chrono_literals;

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
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.until("busy"), "HTTP/1.1 503 \r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy");
    c.get();
    EXPECT_EQ(c.until("\r\n\r\n"), "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
    c.get();
    EXPECT_EQ(c.until("ok"), "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(s.connections(), 1U);
    EXPECT_EQ(s.request_count(), 3U);
}

TEST(server, prefers_the_script_of_a_path_then_the_script_then_the_handler) {
    server s;
    s.on("/a", {reply(201)});
    s.script({reply(202)});
    s.handle([](const recorded_request& request) { return reply(request.method == "GET" ? 404 : 500); });
    easy e;
    e.run(s.url("/a?query"));
    EXPECT_EQ(e.status(), 201);
    e.run(s.url("/a"));
    EXPECT_EQ(e.status(), 202);
    e.run(s.url("/a"));
    EXPECT_EQ(e.status(), 404);
}

TEST(server, turns_a_handler_that_throws_an_exception_or_an_int_into_a_500) {
    server s;
    s.handle([](const recorded_request&) -> answer { throw std::runtime_error("no"); });
    easy e;
    e.run(s.url());
    EXPECT_EQ(e.status(), 500);
    s.handle([](const recorded_request&) -> answer { throw 42; });
    e.run(s.url());
    EXPECT_EQ(e.status(), 500);
}

TEST(server, records_what_a_request_said) {
    server s;
    socket_client c(s.port());
    const std::string head =
        "PUT /x?y=1 HTTP/1.1\r\nHost: h:1\r\nX-One: \t first \r\nx-one: second\r\nEmpty:\r\nContent-Length: 3";
    c.say(head + "\r\n\r\nabc");
    c.until("ok");
    const auto all = s.requests();
    ASSERT_EQ(all.size(), 1U);
    const auto& r = all.front();
    EXPECT_EQ(r.method, "PUT");
    EXPECT_EQ(r.target, "/x?y=1");
    EXPECT_EQ(r.head, head);
    EXPECT_EQ(r.headers,
              (r2::headers{
                  {"Host", "h:1"}, {"X-One", "first"}, {"x-one", "second"}, {"Empty", ""}, {"Content-Length", "3"}}));
    EXPECT_EQ(r.headers.get("X-ONE"), "first");
    EXPECT_EQ(r.body, "abc");
    EXPECT_EQ(r.body_size, 3U);
    EXPECT_EQ(r.body_hash, fnv1a("abc"));
    EXPECT_EQ(r.connection, 1);
    EXPECT_TRUE(r.complete);
}

TEST(server, decodes_a_chunked_request_that_comes_byte_by_byte) {
    server s;
    socket_client c(s.port());
    const std::string_view request =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
    for (const char byte : request) c.say({&byte, 1});
    c.until("ok");
    ASSERT_EQ(s.request_count(), 1U);
    EXPECT_EQ(s.requests()[0].body, "abc0123456789");
    EXPECT_TRUE(s.requests()[0].complete);
}

TEST(server, takes_a_head_of_a_mebibyte) {
    server s;
    socket_client c(s.port());
    const std::string value(1024 * 1024, 'v');
    c.say("GET / HTTP/1.1\r\nLong: " + value + "\r\n\r\n");
    c.until("ok");
    ASSERT_EQ(s.request_count(), 1U);
    EXPECT_EQ(s.requests()[0].headers.get("long").value_or(""), value);
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
    socket_client c(s.port());
    c.say("HEAD / HTTP/1.1\r\n\r\n");
    c.get();
    c.say("HEAD / HTTP/1.1\r\n\r\n");
    c.get();
    EXPECT_EQ(c.until("end"),
              "HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n"
              "HTTP/1.1 204 \r\n\r\n"
              "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"
              "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nend");
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
    EXPECT_EQ(s.request_count(), 1U);
    EXPECT_TRUE(s.requests().empty());
}

TEST(server, logs_a_request_whose_sender_leaves_within_the_body) {
    server s;
    socket_client c(s.port());
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
    socket_client c(s.port());
    EXPECT_TRUE(s.wait_for_connections(1, patience));
    EXPECT_FALSE(s.wait_until_all_left(20ms));
}

TEST(server, is_destroyed_promptly_whatever_its_connections_do) {
    std::vector<std::unique_ptr<socket_client>> clients;
    std::thread greedy;
    stopwatch watch;
    {
        server s;
        s.on("/hang", {nothing().hang()});
        s.on("/late", {late(60s, reply(200))});
        s.on("/trickle", {reply(200, std::string(1000, 'x')).trickle(1, 100ms)});
        s.on("/endless", {raw("HTTP/1.1 200 OK\r\n\r\n").repeat("x", ~0ULL), raw("").repeat("x", ~0ULL)});
        s.on_connection(1, fault::hang_on_accept());
        s.on_connection(2, fault::close_on_accept());
        s.on_connection(3, fault::answer_after_head(reply(200)));
        const auto open = [&](std::string_view target) {
            auto& c = *clients.emplace_back(std::make_unique<socket_client>(s.port()));
            c.get(target);
            EXPECT_TRUE(s.wait_for_connections(clients.size(), patience));
        };
        for (const auto* target : {"/", "/", "/", "/hang", "/late", "/trickle", "/endless", "/idle", "/endless"}) {
            open(target);
        }
        clients.emplace_back(std::make_unique<socket_client>(s.port()))->say("GET / HT");
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

TEST(server, waits_for_a_handler_that_takes_100_ms_when_it_is_destroyed) {
    std::atomic<bool> returned = false;
    std::unique_ptr<socket_client> c;
    {
        server s;
        s.handle([&](const recorded_request&) {
            std::this_thread::sleep_for(100ms);
            returned = true;
            return reply(200);
        });
        c = std::make_unique<socket_client>(s.port());
        c->get();
        ASSERT_TRUE(s.wait_for_requests(1, patience));
    }
    EXPECT_TRUE(returned);
}

TEST(server, refuses_new_connections_and_serves_the_1_that_is_open) {
    server s;
    socket_client open(s.port());
    open.get();
    open.until("ok");
    s.refuse();
    s.refuse();  // a second time
    EXPECT_EQ(socket_client(s.port()).error(), ECONNREFUSED);
    open.get();
    EXPECT_TRUE(open.until("ok").starts_with("HTTP/1.1 200"));
    EXPECT_EQ(s.connections(), 1U);
}

TEST(server, takes_any_time_as_a_timeout_up_to_292_years) {
    server s;
    EXPECT_TRUE(s.wait_for_requests(0, r2::duration::max()));
    EXPECT_FALSE(s.wait_for_requests(1, r2::duration{}));
    EXPECT_TRUE(s.wait_until_all_left(r2::duration::max()));
}

TEST(server, serves_16_connections_at_once) {
    server s;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&s] {
            easy e;
            for (int j = 0; j < 50; ++j) EXPECT_EQ(e.run(s.url()), CURLE_OK);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(s.request_count(), 800U);
    EXPECT_EQ(s.connections(), 16U);
}

// A test that waits for a request may send the next one at once. The next one must not take the answer of the first.
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
            socket_client c(s.port());
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

TEST(expect, is_not_answered_unless_scripted) {
    server s;
    socket_client c(s.port());
    c.say("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    EXPECT_TRUE(c.silent_for(60ms));
    EXPECT_EQ(s.request_count(), 0U);
    c.say("x");
    EXPECT_TRUE(c.until("ok").starts_with("HTTP/1.1 200"));
}

TEST(expect, gets_the_scripted_answer_before_the_body) {
    server s;
    s.on_expect(raw("HTTP/1.1 100 Continue\r\n\r\n"));
    const std::string_view head = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    socket_client c(s.port());
    c.say(head);
    EXPECT_EQ(c.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    c.say("x");
    c.until("ok");
    s.on_expect(reply(417).close());
    c.say(head);
    EXPECT_TRUE(c.rest().starts_with("HTTP/1.1 417"));
    ASSERT_EQ(s.request_count(), 2U);
    EXPECT_TRUE(s.requests()[0].complete);
    EXPECT_FALSE(s.requests()[1].complete);
}

}  // namespace
