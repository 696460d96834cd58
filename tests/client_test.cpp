#include "r2/client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "curl/fixture.hpp"
#include "support/nginx.hpp"

namespace {

using namespace r2::testkit;

class lazy : public testing::Test {
protected:
    lazy() { s.default_answer(reply(503, "again")); }

    r2::attempts polled() const { return c.get(s.url(), quick({.max_attempts = 100})); }

    server s;
    r2::client c;
};

TEST_F(lazy, unused_range_sends_0_requests) {
    {
        r2::attempts range = polled();
        [[maybe_unused]] const auto i = range.begin();
        r2::attempts moved = std::move(range);
        EXPECT_EQ(moved.ended(), r2::ended::not_yet);
    }
    EXPECT_EQ(s.connections(), 0U);
}

TEST_F(lazy, take_3_sends_3_requests) {
    int attempts = 0;
    for (r2::attempt& a : polled() | std::views::take(3)) attempts += a.number();
    EXPECT_EQ(attempts, 1 + 2 + 3);
    EXPECT_EQ(s.request_count(), 3U);
}

TEST_F(lazy, take_3_and_1_of_a_named_range_send_4_requests) {
    r2::attempts range = polled();
    for (r2::attempt& a : std::ranges::ref_view(range) | std::views::take(3)) EXPECT_EQ(status_of(a), 503);
    EXPECT_EQ(s.request_count(), 3U);
    for (r2::attempt& a : std::move(range) | std::views::take(1)) EXPECT_EQ(a.number(), 4);
    EXPECT_EQ(s.request_count(), 4U);
}

TEST_F(lazy, break_sends_1_request_and_nothing_more) {
    for (const r2::attempt& a : polled()) {
        EXPECT_EQ(a.number(), 1);
        break;
    }
    EXPECT_EQ(s.request_count(), 1U);
}

TEST_F(lazy, after_a_break_the_range_goes_on_from_attempt_2) {
    r2::attempts range = polled();
    for (const r2::attempt& a : range)
        if (a.number() == 2) break;
    EXPECT_EQ(s.request_count(), 2U);
    std::vector<int> numbers;
    for (const r2::attempt& a : range) {
        numbers.push_back(a.number());
        if (a.number() == 4) break;
    }
    EXPECT_EQ(numbers, (std::vector{2, 3, 4}));
    EXPECT_EQ(s.request_count(), 4U);
}

TEST_F(lazy, an_iterator_sends_1_request_however_often_it_is_asked) {
    r2::attempts range = polled();
    auto i = range.begin();
    EXPECT_EQ(s.request_count(), 0U);
    EXPECT_FALSE(i == range.end());
    EXPECT_FALSE(i == range.end());
    EXPECT_EQ((*i).number(), 1);
    EXPECT_EQ(i->number(), 1);
    EXPECT_EQ(s.request_count(), 1U);
    ++i;
    EXPECT_EQ(s.request_count(), 1U);
    EXPECT_EQ(i->number(), 2);
    EXPECT_EQ(s.request_count(), 2U);
}

TEST_F(lazy, finish_sends_all_5_requests_and_returns_the_last_attempt) {
    s.script({reply(503), reply(503), reply(503), reply(503), reply(200, "done")});
    const r2::attempt a = polled().finish();
    ASSERT_EQ(status_of(a), 200);
    EXPECT_EQ(a.response()->body, "done");
    EXPECT_EQ(a.number(), 5);
    EXPECT_EQ(s.request_count(), 5U);
}

class connections : public lazy {};

TEST_F(connections, of_10_ranges_of_3_attempts_there_is_1) {
    for (int i = 0; i < 10; ++i) c.post(s.url(), "text", quick({.max_attempts = 3})).finish();
    EXPECT_EQ(s.request_count(), 30U);
    EXPECT_EQ(s.connections(), 1U);
}

TEST_F(connections, of_2_ranges_by_turns_there_are_2) {
    for (int round = 0; round < 3; ++round) {
        r2::attempts one = polled(), other = polled();
        auto i = one.begin(), j = other.begin();
        for (int n = 1; n <= 3; ++n, ++i, ++j) EXPECT_EQ(i->number() + j->number(), 2 * n);
    }
    EXPECT_EQ(s.request_count(), 18U);
    EXPECT_EQ(s.connections(), 2U);
}

TEST_F(connections, outlive_their_client_by_3_attempts) {
    std::vector<r2::attempts> range;
    {
        r2::client gone;
        range.push_back(gone.get(s.url(), quick({.max_attempts = 3})));
    }
    EXPECT_EQ(range[0].finish().number(), 3);
    EXPECT_EQ(s.request_count(), 3U);
    EXPECT_EQ(s.connections(), 1U);
    range.clear();
    EXPECT_TRUE(s.wait_until_all_left(patience)) << "with the last range they are closed";
}

TEST_F(connections, are_closed_with_their_1_client) {
    {
        r2::client own;
        own.get(s.url(), quick()).finish();
        EXPECT_EQ(s.open_connections(), 1U);
    }
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST_F(connections, of_8_threads_with_50_ranges_each_carry_400_requests) {
    s.handle(
        [](const recorded_request& q) { return reply(q.body.size() % 3 == 0 ? 503 : 200, q.target + " " + q.body); });
    std::atomic<int> right = 0;
    std::atomic<int> sends = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                const std::string target = "/" + std::to_string(t) + "/" + std::to_string(i);
                const std::string text(static_cast<std::size_t>(i), static_cast<char>('a' + t));
                for (const r2::attempt& a : c.post(s.url(target), text, quick({.max_attempts = 2}))) {
                    right += a.response() && a.response()->body == target + " " + text;
                    sends += a.sends();
                }
            }
        });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(right, 8 * (50 + 17));  // the 17 multiples of 3 are asked for twice
    EXPECT_EQ(sends, 8 * (50 + 17));
    EXPECT_EQ(s.request_count(), 8U * (50 + 17));
    EXPECT_LE(s.connections(), 8U);
}

class settings : public testing::Test {
protected:
    server s;
};

TEST_F(settings, a_proxy_is_asked_for_the_absolute_url_of_1_request) {
    r2::client c({.proxy = s.url("")});
    const r2::attempt a = c.get("http://example.invalid/path?query", quick()).finish();
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.sends(), 1);
    ASSERT_EQ(s.request_count(), 1U);
    EXPECT_EQ(s.requests().front().target, "http://example.invalid/path?query");
    EXPECT_EQ(s.requests().front().headers.get("Host").value_or(""), "example.invalid");
}

TEST_F(settings, a_proxy_that_opens_no_tunnel_hears_1_connect_and_no_secret) {
    r2::client c({.proxy = s.url("")});
    s.default_answer(reply(403, "no"));
    const r2::headers secrets = {{"Authorization", "secret"}, {"Cookie", "secret"}};
    const r2::attempt a =
        c.post("https://me:secret@example.invalid/secret", "secret", quick({.headers = secrets})).finish();
    EXPECT_EQ(status_of(a), 0);
    EXPECT_EQ(a.sends(), 0);
    EXPECT_EQ(a.error().sent(), r2::sent::no);
    EXPECT_EQ(a.error().message().find("secret"), std::string::npos) << a.error().message();
    ASSERT_EQ(s.request_count(), 1U);
    EXPECT_EQ(s.requests().front().method, "CONNECT");
    EXPECT_EQ(s.requests().front().head.find("secret"), std::string::npos) << s.requests().front().head;
}

TEST_F(settings, a_proxy_that_refuses_is_1_connect_error_without_its_password) {
    const refusing_port nobody;
    r2::client c({.proxy = "http://me:secret@127.0.0.1:" + std::to_string(nobody.port())});
    const r2::attempt a = c.get("http://example.invalid/", quick()).finish();
    EXPECT_TRUE(a.error() == r2::errc::connect) << a.error().message();
    EXPECT_EQ(a.error().message().find("secret"), std::string::npos) << a.error().message();
}

TEST_F(settings, configure_is_called_on_1_handle_for_3_ranges) {
    int calls = 0;
    r2::client c({.configure = [&](CURL* easy) {
        ++calls;
        curl_easy_setopt(easy, CURLOPT_REFERER, "http://referer.example/");
    }});
    for (int i = 0; i < 3; ++i) c.get(s.url(), quick({.max_attempts = 2})).finish();
    EXPECT_EQ(calls, 1);
    for (const recorded_request& q : s.requests())
        EXPECT_EQ(q.headers.get("Referer").value_or(""), "http://referer.example/");
}

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

struct foreign_setting {
    const char* name;
    void (*make)(CURL*);
};

// r2's own settings go last: whatever is set before them, a request is what its user asked for.
TEST_F(settings, over_configure_r2_has_the_last_word_in_each_of_16_settings) {
    static curl_slist own = {const_cast<char*>("X-Configured: 1"), nullptr};
    const foreign_setting table[] = {
        {"FOLLOWLOCATION", [](CURL* e) { curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L); }},
        {"FAILONERROR", [](CURL* e) { curl_easy_setopt(e, CURLOPT_FAILONERROR, 1L); }},
        {"CUSTOMREQUEST", [](CURL* e) { curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "BREW"); }},
        {"NOBODY", [](CURL* e) { curl_easy_setopt(e, CURLOPT_NOBODY, 1L); }},
        {"UPLOAD", [](CURL* e) { curl_easy_setopt(e, CURLOPT_UPLOAD, 1L); }},
        {"COPYPOSTFIELDS", [](CURL* e) { curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, "configured"); }},
        {"HTTPHEADER", [](CURL* e) { curl_easy_setopt(e, CURLOPT_HTTPHEADER, &own); }},
        {"URL", [](CURL* e) { curl_easy_setopt(e, CURLOPT_URL, "http://example.invalid/"); }},
        {"HEADER", [](CURL* e) { curl_easy_setopt(e, CURLOPT_HEADER, 1L); }},
        {"WRITEFUNCTION", [](CURL* e) { curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &swallow); }},
        {"HEADERFUNCTION", [](CURL* e) { curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, &swallow); }},
        {"TIMEOUT_MS", [](CURL* e) { curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, 1L); }},
        {"PROTOCOLS_STR", [](CURL* e) { curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "file"); }},
        {"USERAGENT", [](CURL* e) { curl_easy_setopt(e, CURLOPT_USERAGENT, "configured"); }},
        {"PRIVATE", [](CURL* e) { curl_easy_setopt(e, CURLOPT_PRIVATE, nullptr); }},
        {"CONNECTTIMEOUT_MS", [](CURL* e) { curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, 1L); }},
    };
    static_assert(std::size(table) == 16);
    s.default_answer(late(20ms, reply(404, "not here", {{"X-A", "b"}})));
    for (const auto& [name, make] : table) {
        SCOPED_TRACE(name);
        s.script({late(5ms, reply(302, "", {{"Location", "/to"}}))});
        r2::client c({.configure = make});
        const r2::attempt a = c.get(s.url("/from"), quick({.max_redirects = 0})).finish();
        EXPECT_EQ(status_of(a), 302) << a.error().message();
        const r2::attempt b = c.get(s.url("/b"), quick()).finish();
        ASSERT_EQ(status_of(b), 404) << b.error().message();
        EXPECT_EQ(b.response()->body, "not here");
        EXPECT_EQ(b.response()->headers.get("X-A"), "b");
        EXPECT_EQ(b.response()->url, s.url("/b"));
        const recorded_request q = s.requests().back();
        EXPECT_EQ(q.method + q.target + q.body, "GET/b");
        EXPECT_FALSE(q.headers.contains("X-Configured") || q.headers.contains("Content-Length") ||
                     q.headers.contains("Transfer-Encoding"))
            << q.head;
        EXPECT_TRUE(q.headers.get("User-Agent").value_or("").starts_with("r2/")) << q.head;
    }
}

struct not_configured : std::runtime_error {
    using std::runtime_error::runtime_error;
};

TEST_F(settings, what_configure_throws_reaches_the_loop_unchanged_1_time) {
    bool broken = true;
    r2::client c({.configure = [&](CURL*) {
        if (broken) throw not_configured("by the test");
    }});
    r2::attempts range = c.get(s.url(), quick({.max_attempts = 3}));
    int attempts = 0;
    try {
        for ([[maybe_unused]] const r2::attempt& a : range) ++attempts;
        ADD_FAILURE() << "nothing was thrown";
    } catch (const not_configured& e) {
        EXPECT_STREQ(e.what(), "by the test");
    }
    EXPECT_EQ(attempts, 0);
    EXPECT_EQ(range.ended(), r2::ended::threw);
    EXPECT_TRUE(range.begin() == range.end());
    EXPECT_EQ(s.connections(), 0U);
    broken = false;
    EXPECT_EQ(status_of(c.get(s.url(), quick()).finish()), 200) << "the client is none the worse for it";
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(client_settings, a_user_agent_with_a_line_break_sends_0_requests) {
    server s;
    const r2::client c({.user_agent = "a\r\nX-Evil: 1"});
    const r2::attempt a = c.get(s.url(), quick()).finish();
    EXPECT_TRUE(a.error() == r2::errc::invalid_request);
    EXPECT_EQ(s.connections(), 0U);
}

TEST(resources, after_260_ranges_that_fail_there_are_as_many_descriptors_as_before) {
    const temporary_directory d;
    const std::string path = d.file("f", "text");
    const refusing_port nobody;
    const full_backlog full;
    server s;
    nginx::shared();
    const std::size_t before = open_descriptors();
    {
        r2::client c({.connect_timeout = 5ms}), tls;
        for (int i = 0; i < 20; ++i) {
            s.script({nothing().reset(), nothing().close(), raw("garbage\r\n\r\n").close(), reply(200, "12345"),
                      reply(302, "", {{"Location", "file:///x"}}), reply(200).cut(10)});
            const std::string urls[] = {"", nobody.url(), full.url(), "ftp://127.0.0.1/"};
            int failed = 0;
            for (const std::string& u : urls) failed += !c.get(u, quick()).finish().response();
            for (int n = 0; n < 6; ++n)
                failed += !c.post(s.url(), r2::body::file(path), quick({.max_body = 4})).finish().response();
            failed += !c.put(s.url(), r2::body::file(d / "missing"), quick()).finish().response();
            failed += !tls.get(nginx::shared().https("/hello"), quick()).finish().response();
            failed += !tls.get("http://" + std::string(70, 'n') + ".invalid/", quick()).finish().response();
            EXPECT_EQ(failed, 13);
        }
    }
    ASSERT_TRUE(s.wait_until_all_left(patience));
    EXPECT_EQ(open_descriptors(), before);
}

TEST(resources, of_10000_requests_the_memory_stays_within_4_mib) {
    server s;
    s.keep_requests(false);
    const r2::client c;
    const std::string url = s.url(), missing = "http://" + std::string(70, 'n') + ".invalid/";
    const auto rounds = [&](int count) {
        for (int i = 0; i < count; ++i) {
            c.post(url, "text", quick({.headers = {{"X-Round", std::to_string(i)}}})).finish();
            if (i % 10 == 0) c.get(missing, quick()).finish();
        }
    };
    rounds(1000);
    const memory_growth memory;
    rounds(9000);
    EXPECT_LT(memory.bytes(), 4U << 20);
}

}  // namespace
