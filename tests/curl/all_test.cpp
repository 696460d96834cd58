#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <ranges>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <r2/r2.hpp>

#include "curl/bare_transport.hpp"
#include "curl/fixture.hpp"
#include "support/leftovers.hpp"

namespace r2::testkit {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> urls_of(const testing::server& s, std::size_t n) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < n; ++i) all.push_back(s.url("/" + std::to_string(i)));
    return all;
}

TEST(all, sends_200_requests_on_at_most_20_connections_of_1_host) {
    testing::server s;
    s.handle([](const testing::recorded_request& q) { return testing::reply(200, q.target); });
    std::set<std::size_t> seen;
    auto range = r2::all(urls_of(s, 200), {}, {.max_in_flight = 50, .max_per_host = 20});
    for (auto&& [job, res, err] : range) {
        ASSERT_TRUE(res) << err.message();
        EXPECT_EQ(res->body, "/" + std::to_string(job));
        seen.insert(job);
    }
    EXPECT_EQ(seen.size(), 200U);
    EXPECT_EQ(s.request_count(), 200U);
    EXPECT_LE(s.connections(), 20U);
    EXPECT_EQ(range.count(ended::succeeded), 200U);
}

TEST(all, polls_50_jobs_to_their_ends_through_failures_of_all_kinds) {
    testing::server s;
    std::mutex mutex;
    std::map<std::string, int> asked;
    s.handle([&](const testing::recorded_request& q) {
        const std::lock_guard lock(mutex);
        const int n = ++asked[q.target];
        if (n == 1) return testing::nothing().reset();
        if (n == 2) return testing::reply(200, "half").cut_body(2);
        return n == 3 ? testing::reply(503) : testing::reply(200, "done");
    });
    auto range = r2::all(urls_of(s, 50), {.max_attempts = 6, .timeout = 20s, .interval = 20ms}, {.max_in_flight = 16});
    int sends = 0;  // a reset of a reused connection costs a resend, not an attempt
    for (auto& a : range) {
        sends += a.sends();
        EXPECT_EQ(a.is_last(), a.response() && a.response()->body == "done");
    }
    EXPECT_EQ(sends, 200);
    EXPECT_EQ(range.count(ended::succeeded), 50U);
}

TEST(all, a_stop_from_another_thread_ends_30_requests_in_flight_and_leaves_nothing_behind) {
    expect_nothing_left_by([] {
        testing::server s;
        s.default_answer(testing::nothing().hang());
        std::stop_source source;
        std::jthread stopper([&] {
            s.wait_for_requests(30, 20s);
            source.request_stop();
        });
        const client c;
        std::size_t stopped = 0;
        auto range = c.all(urls_of(s, 100), {.stop = source.get_token()}, {.max_in_flight = 30, .max_per_host = 0});
        for (auto&& [job, res, err] : range) {
            EXPECT_TRUE(err == errc::stopped) << err.message();
            EXPECT_EQ(err.sent(), sent::maybe);
            ++stopped;
        }
        EXPECT_EQ(stopped, 30U);
    });
}

TEST(all, destroyed_with_10_requests_in_flight_it_cancels_them) {
    expect_nothing_left_by([] {
        testing::server s;
        s.script({testing::reply(200)});
        s.default_answer(testing::nothing().hang());
        for (auto&& [job, res, err] : client().all(urls_of(s, 100), {}, {.max_in_flight = 11, .max_per_host = 0})) {
            EXPECT_TRUE(res);
            break;
        }
        EXPECT_TRUE(s.wait_until_all_left(20s));
    });
}

TEST(all, adds_no_time_of_the_loops_body_to_50_responses_that_wait) {
    server s;
    barrier to_connect(50), to_respond(50);
    std::atomic<barrier*> all_there = &to_connect;
    s.handle([&](const recorded_request&) {
        all_there.load()->wait();
        return reply(200);
    });
    const std::vector<std::string> urls(50, s.url());
    const r2::client client;
    for (auto& a : client.all(urls, quick(), {.max_per_host = 0})) EXPECT_TRUE(a.response());
    all_there = &to_respond;  // on reused connections: libcurl itself looks for the response on a new one
    std::vector<r2::duration> took;
    for (auto& a : client.all(urls, quick(), {.max_per_host = 0})) {
        EXPECT_TRUE(a.response());
        took.push_back(a.elapsed());
        std::this_thread::sleep_for(20ms);
    }
    ASSERT_EQ(took.size(), 50U);
    int longer = 0;  // than the one before by one body: only if they weren't found ready together
    for (std::size_t i = 1; i < took.size(); ++i) longer += took[i] - took[i - 1] > 10ms;
    EXPECT_LT(longer, 25);
}

TEST(all, frees_the_own_options_of_each_of_6_jobs_when_it_is_done) {
    server s;
    std::vector<std::weak_ptr<int>> held;
    const auto job = [&](int) {
        const auto something = std::make_shared<int>();
        held.push_back(something);
        r2::options own = quick();
        own.on_attempt = [something](const r2::request&, const r2::attempt&) {};
        return std::pair(s.url(), own);
    };
    for (auto&& [i, res, err] : r2::client().all(std::views::iota(0, 6) | std::views::transform(job))) {
        EXPECT_TRUE(res);
        EXPECT_TRUE(held[i].expired());
    }
    EXPECT_EQ(held.size(), 6U);
}

TEST(all, gives_its_connections_back_at_its_end) {
    testing::server s;
    const client c;
    auto range = c.all(urls_of(s, 3), {}, {.max_in_flight = 1});
    for (auto& a : range) EXPECT_TRUE(a.response());
    EXPECT_TRUE(c.get(s.url()).finish().response());
    EXPECT_EQ(s.connections(), 1U);
}

TEST(all, follows_redirects_and_refuses_bad_urls_among_good_ones) {
    testing::server s;
    s.handle([&](const testing::recorded_request& q) {
        return q.target == "/old" ? testing::reply(301, "", {{"Location", "/new"}}) : testing::reply(200, q.target);
    });
    const std::vector<std::string> urls{s.url("/old"), "http://", "ftp://host/", s.url("/x")};
    std::vector<std::string> ends(urls.size());
    for (auto&& [job, res, err] : r2::all(urls, {.max_attempts = 1}))
        ends[job] = res ? res->body : std::string(to_string(err.kind()));
    EXPECT_EQ(ends, (std::vector<std::string>{"/new", "invalid request", "invalid request", "/x"}));
}

}  // namespace
}  // namespace r2::testkit
