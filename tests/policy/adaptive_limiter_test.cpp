#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include <r2/policy/adaptive_limiter.hpp>

#include <r2/testing/fake_client.hpp>

namespace {

using namespace std::chrono_literals;
using r2::adaptive_limiter;
using r2::scope;
using r2::detail::cubic_curve;
using r2::detail::cubic_rate;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
constexpr double tolerance = 1e-9;
constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr r2::time_point start = fake_client::beginning;
const r2::request here{.url = url};
const r2::request elsewhere{.url = "http://other.test/"};

r2::attempt responded(int status) { return r2::attempt(r2::response{.status = status}); }

// The arithmetic, with the expected values of the AWS SDK for Go v2 (adaptive_ratelimit_test.go).

struct curve_row {
    double t;
    bool throttled;
    double rate;
};

constexpr curve_row successes[] = {
    {5, false, 7.0},
    {6, false, 9.64893600966},
    {7, false, 10.000030849917364},
    {8, false, 10.453284520772092},
    {9, false, 13.408697022224185},
    {10, false, 21.26626835427364},
    {11, false, 36.425998516920465},
};

constexpr curve_row mixed[] = {
    {5, false, 7.0},
    {6, false, 9.64893600966},
    {7, true, 6.754255206761999},
    {8, true, 4.727978644733399},
    {9, false, 4.670125557970046},
    {10, false, 4.770870456867401},
    {11, false, 6.011819748005445},
    {12, false, 10.792973431384178},
};

template <std::size_t n> void replay(const curve_row (&rows)[n]) {
    cubic_curve curve;
    double rate = curve.throttle(10, 5);
    for (const auto& row : rows) {
        rate = row.throttled ? curve.throttle(rate, row.t) : curve.at(row.t);
        if (row.throttled)
            (void)curve.throttle(rate, row.t);  // the SDK's test, unlike its limiter, levels at the remaining rate
        EXPECT_NEAR(rate, row.rate, tolerance) << "at " << row.t;
    }
}

TEST(cubic_curve, matches_the_7_successes_of_the_aws_sdk) { replay(successes); }

TEST(cubic_curve, matches_the_8_mixed_outcomes_of_the_aws_sdk) { replay(mixed); }

struct update_row {
    int milliseconds;
    bool throttled;
    double measured;
    double fill;
};

constexpr update_row updates[] = {
    {200, false, 0, 0.5},
    {400, false, 0, 0.5},
    {600, false, 4.8, 0.5},
    {800, false, 4.8, 0.5},
    {1000, false, 4.16, 0.5},
    {1200, false, 4.16, 0.6912},
    {1400, false, 4.16, 1.0976},
    {1600, false, 5.632, 1.6384},
    {1800, false, 5.632, 2.3328},
    {2000, true, 4.3264, 3.02848},
    {2200, false, 4.3264, 3.4866391734702598},
    {2400, false, 4.3264, 3.8218744160402554},
    {2600, false, 5.66528, 4.053385727709987},
    {2800, false, 5.66528, 4.200373108479455},
    {3000, false, 4.333056, 4.282036558348658},
    {3200, true, 4.333056, 2.99742559084406},
    {3400, false, 4.333056, 3.4522263943863463},
};

TEST(cubic_rate, matches_the_17_updates_of_the_aws_sdk) {
    cubic_rate rate;
    for (const auto& row : updates) {
        rate.update(row.milliseconds / 1000.0, row.throttled);
        EXPECT_NEAR(rate.measured(), row.measured, tolerance) << "at " << row.milliseconds;
        EXPECT_NEAR(rate.fill(), row.fill, tolerance) << "at " << row.milliseconds;
        EXPECT_EQ(rate.limiting(), row.milliseconds >= 2000);
    }
}

TEST(cubic_rate, owes_each_of_3_waiting_callers_a_time_of_its_own) {
    cubic_rate rate;
    rate.update(0, true);
    EXPECT_EQ(rate.fill(), cubic_rate::min_fill);
    for (const double wait : {2.0, 4.0, 6.0}) EXPECT_NEAR(rate.take(0), wait, tolerance);
    EXPECT_NEAR(rate.take(5), 3, tolerance);
    rate.give_back();
    EXPECT_NEAR(rate.take(5), 3, tolerance);
}

TEST(cubic_rate, saves_no_more_than_1_token_at_a_low_rate) {
    cubic_rate rate;
    rate.update(0, true);
    for (int i = 0; i < 5; ++i) rate.give_back();
    EXPECT_EQ(rate.take(3600), 0);
    EXPECT_NEAR(rate.take(3600), 2, tolerance);
}

TEST(cubic_rate, costs_0_seconds_while_it_is_free) {
    cubic_rate rate;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rate.take(0), 0);
}

TEST(cubic_rate, rises_to_2_times_what_is_measured) {
    cubic_rate rate;
    rate.update(0, true);
    for (int second = 1; second < 100; ++second) rate.update(second, false);
    EXPECT_NEAR(rate.measured(), 1, tolerance);
    EXPECT_NEAR(rate.fill(), 2, tolerance);
}

TEST(cubic_rate, saves_2_tokens_at_a_rate_of_2) {
    cubic_rate rate;
    rate.update(0, true);
    for (int second = 1; second < 100; ++second) rate.update(second, false);
    for (const double wait : {0.0, 0.0, 0.5}) EXPECT_NEAR(rate.take(3600), wait, tolerance);
}

TEST(cubic_rate, is_not_confused_by_a_time_that_goes_back) {
    cubic_rate rate;
    rate.update(10, true);
    const double wait = rate.take(10);
    rate.update(9, false);
    EXPECT_NEAR(rate.take(9), 2 * wait, tolerance);
    EXPECT_NEAR(rate.take(10), 3 * wait, tolerance) << "nothing is filled in twice";
}

// The guard.

TEST(adaptive_limiter, is_free_until_the_first_throttling_response) {
    adaptive_limiter limit;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(limit.admit(here, 1, start).wait(), 0s);
        limit.record_of(here, i % 2 ? responded(503) : r2::attempt(r2::error(r2::errc::timeout)), start);
    }
    EXPECT_EQ(limit.rate(here), infinite);
    limit.record_of(here, responded(429), start);
    EXPECT_EQ(limit.rate(here), 0.5);
    EXPECT_EQ(limit.admit(here, 1, start).wait(), 2s);
    EXPECT_EQ(limit.admit(here, 1, start).wait(), 4s);
}

TEST(adaptive_limiter, knows_the_throttling_codes_of_aws_too) {
    adaptive_limiter limit;
    const r2::response slow_down{.status = 503, .body = "<Error><Code>SlowDown</Code></Error>"};
    limit.record_of(here, r2::attempt(slow_down), start);
    EXPECT_EQ(limit.rate(here), 0.5);
}

TEST(adaptive_limiter, counts_an_error_as_a_response_that_is_not_throttling) {
    adaptive_limiter of_errors, of_responses;
    for (auto* each : {&of_errors, &of_responses}) each->record_of(here, responded(429), start);
    for (r2::time_point now = start; now < start + 10s; now += 100ms) {
        of_errors.record_of(here, r2::attempt(r2::error(r2::errc::connect)), now);
        of_responses.record_of(here, responded(200), now);
    }
    EXPECT_EQ(of_errors.rate(here), of_responses.rate(here));
    EXPECT_GT(of_errors.rate(here), 10);
}

TEST(adaptive_limiter, has_a_rate_for_each_origin_unless_global) {
    for (const scope s : {scope::origin, scope::global}) {
        adaptive_limiter limit(s);
        limit.record_of(here, responded(429), start);
        EXPECT_EQ(limit.rate(elsewhere), s == scope::origin ? infinite : 0.5);
    }
}

TEST(adaptive_limiter, takes_back_what_was_never_used) {
    adaptive_limiter limit;
    limit.record_of(here, responded(429), start);
    EXPECT_EQ(limit.admit(here, 1, start).wait(), 2s);
    EXPECT_EQ(limit.admit(here, 1, start).wait(), 4s);
    limit.cancel(here, start);
    EXPECT_EQ(limit.admit(here, 1, start).wait(), 4s);
}

TEST(adaptive_limiter, measures_from_its_first_request_on) {
    adaptive_limiter early, late;
    for (const r2::duration silence : {0s, 3600s}) {
        adaptive_limiter& limit = silence == 0s ? early : late;
        for (int i = 0; i < 100; ++i) limit.record_of(here, responded(i == 99 ? 429 : 200), start + silence + i * 10ms);
    }
    EXPECT_EQ(late.rate(here), early.rate(here));
}

TEST(adaptive_limiter, gives_8_threads_8000_times_of_their_own) {
    adaptive_limiter limit;
    limit.record_of(here, responded(429), start);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n) {
                    EXPECT_GT(limit.admit(here, 1, start).wait(), 0s);
                    if (n % 2) limit.cancel(here, start);
                    EXPECT_GT(limit.rate(here), 0);
                }
            });
    }
    EXPECT_EQ(limit.admit(here, 1, start).wait(), 2s * (8 * 500 + 1));
}

TEST(adaptive_limiter, makes_a_range_wait_2_seconds_after_a_first_429) {
    fake_client fake;
    fake.reply(429).reply(200);
    const auto limit = std::make_shared<adaptive_limiter>();
    std::vector<r2::wait_source> from;
    for (auto& a : fake.get(url, {.interval = 1ms, .guards = {limit}})) from.push_back(a.wait_from());
    EXPECT_EQ(fake.waits(), std::vector<r2::duration>{2s});
    EXPECT_EQ(from, (std::vector{r2::wait_source::guard, r2::wait_source::none}));
}

// A server that takes 10 requests a second.

struct small_server {
    double tokens = 10;
    r2::time_point last = start;
    std::vector<std::pair<r2::time_point, int>> log = {};

    int serve(r2::time_point now) {
        tokens = std::min(10.0, tokens + 10 * std::chrono::duration<double>(now - last).count());
        last = now;
        const int status = tokens < 1 ? 429 : 200;
        if (status == 200) tokens -= 1;
        log.emplace_back(now, status);
        return status;
    }

    /// Returns the responses with this status a second, from `from` on.
    double rate(int status, r2::time_point from) const {
        const auto counts = [&](const auto& each) { return each.first >= from && each.second == status; };
        return static_cast<double>(std::count_if(log.begin(), log.end(), counts)) /
               std::chrono::duration<double>(last - from).count();
    }
};

/// A server after 10 minutes with many clients that send all the time. A response takes 20 ms.
small_server besieged_by(int clients) {
    using event = std::pair<r2::time_point, bool>;  // when, and whether a response is due
    adaptive_limiter limit;
    small_server server;
    std::priority_queue<event, std::vector<event>, std::greater<>> events;
    for (int i = 0; i < clients; ++i) events.emplace(start + i * 1ms, false);
    while (events.top().first < start + 10min) {
        const auto [now, has_response] = events.top();
        events.pop();
        if (has_response) {
            limit.record_of(here, responded(server.serve(now)), now);
            events.emplace(now + limit.admit(here, 1, now).wait(), false);
        } else {
            events.emplace(now + 20ms, true);
        }
    }
    return server;
}

TEST(adaptive_limiter, brings_5_clients_near_the_10_a_second_that_a_server_takes) {
    const small_server server = besieged_by(5);
    EXPECT_GT(server.rate(200, start + 1min), 8.5);
    EXPECT_LT(server.rate(200, start + 1min), 10.1);
    EXPECT_LT(server.rate(429, start + 1min), 1);
}

TEST(adaptive_limiter, spares_a_server_that_takes_10_a_second_from_100_clients) {
    const small_server server = besieged_by(100);
    EXPECT_GT(server.rate(200, start + 1min), 1);
    EXPECT_LT(server.rate(429, start + 1min), 2);
}

TEST(adaptive_limiter, brings_a_range_near_the_10_a_second_that_a_server_takes) {
    fake_client fake;
    small_server server;
    const auto limit = std::make_shared<adaptive_limiter>();
    const auto serve = [&](r2::request&) {
        fake.advance(5ms);
        return r2::response{.status = server.serve(start + fake.now())};
    };
    const auto never_enough = [](const r2::response&) { return false; };
    const auto last = fake.get(url, {.interval = 1ns,
                                     .deadline = 10min,
                                     .terminate_if = never_enough,
                                     .before_attempt = serve,
                                     .guards = {limit}})
                          .finish();
    EXPECT_EQ(last.ended(), r2::ended::deadline);
    EXPECT_GT(server.rate(200, start + 1min), 9);
    EXPECT_LT(server.rate(200, start + 1min), 10.1);
    EXPECT_LT(server.rate(429, start + 1min), 1);
    EXPECT_GT(limit->rate(here), 5);
    EXPECT_LT(limit->rate(here), 20);
}

}  // namespace
