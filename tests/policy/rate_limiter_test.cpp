#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <r2/policy/rate_limiter.hpp>

#include <r2/testing/fake_client.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::over_rate;
using r2::rate_limiter;
using r2::rate_limiter_options;
using r2::scope;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
constexpr r2::time_point start = fake_client::beginning;
const r2::request here{.url = url};
const r2::request elsewhere{.url = "http://other.test/"};

using waits = std::vector<r2::duration>;

/// The waits of `n` attempts that are admitted at once.
waits ask(rate_limiter& limit, int n, r2::time_point now = start) {
    waits all;
    for (int i = 0; i < n; ++i) all.push_back(limit.admit(here, 1, now).wait());
    return all;
}

TEST(rate_limiter, lets_a_burst_of_3_go_and_paces_the_rest) {
    rate_limiter limit({.permits = 2, .burst = 3});
    EXPECT_EQ(ask(limit, 6), (waits{0s, 0s, 0s, 500ms, 1s, 1500ms}));
    EXPECT_EQ(ask(limit, 1, start + 1500ms), waits{500ms}) << "behind the waiting attempts";
}

TEST(rate_limiter, has_a_burst_of_4_with_4_permits_unless_set) {
    rate_limiter limit({.permits = 4});
    EXPECT_EQ(ask(limit, 5), (waits{0s, 0s, 0s, 0s, 250ms}));
}

TEST(rate_limiter, has_a_burst_of_at_least_1) {
    rate_limiter slow({.permits = 0.5}), small({.permits = 2, .burst = 0.1});
    EXPECT_EQ(ask(slow, 3), (waits{0s, 2s, 4s}));
    EXPECT_EQ(ask(small, 3), (waits{0s, 500ms, 1s}));
}

TEST(rate_limiter, saves_no_more_than_its_burst_in_an_hour_of_rest) {
    rate_limiter limit({.permits = 2, .burst = 3});
    ask(limit, 9);
    EXPECT_EQ(ask(limit, 4, start + 1h), (waits{0s, 0s, 0s, 500ms}));
}

TEST(rate_limiter, is_exact_after_300_thousand_thirds_of_a_second) {
    rate_limiter limit({.permits = 3, .burst = 1});
    EXPECT_EQ(ask(limit, 4), (waits{0s, 333'333'333ns, 666'666'666ns, 1s}));
    for (int i = 4; i < 300'000; ++i) (void)limit.admit(here, 1, start);
    EXPECT_EQ(ask(limit, 1), waits{100'000s});
}

TEST(rate_limiter, gives_7_permits_in_each_second_of_an_hour) {
    rate_limiter limit({.permits = 7});
    r2::time_point now = start;
    int in_last_second = 0;
    for (int i = 0; i < 7 + 7 * 3600; ++i) {
        now += limit.admit(here, 1, now).wait();
        in_last_second += now > start + 3599s;
    }
    EXPECT_EQ(now, start + 1h);
    EXPECT_EQ(in_last_second, 7);
}

TEST(rate_limiter, keeps_10_billion_in_a_second_apart_too) {
    rate_limiter limit({.permits = 1e10, .burst = 1});
    for (int i = 0; i < 1000; ++i) (void)limit.admit(here, 1, start);
    EXPECT_EQ(ask(limit, 1), waits{100ns});
}

TEST(rate_limiter, without_permits_or_time_is_no_limit) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    for (const rate_limiter_options& o :
         {rate_limiter_options{}, rate_limiter_options{.permits = -1}, rate_limiter_options{.permits = infinite},
          rate_limiter_options{.permits = std::numeric_limits<double>::quiet_NaN()},
          rate_limiter_options{.permits = 1, .per = 0s}, rate_limiter_options{.permits = 1, .per = -1s},
          rate_limiter_options{.permits = 0, .over = over_rate::refuse}}) {
        rate_limiter limit(o);
        EXPECT_EQ(ask(limit, 1000).back(), 0s);
        EXPECT_FALSE(limit.admit(here, 1, start).refused());
        limit.cancel(here, start);
    }
}

TEST(rate_limiter, overflows_with_no_options) {
    constexpr double huge = std::numeric_limits<double>::max(), tiny = std::numeric_limits<double>::min();
    for (const double permits : {tiny, 1.0, 1e18, huge})
        for (const double burst : {-huge, tiny, 2.0, huge, std::numeric_limits<double>::infinity()})
            for (const r2::duration per : {r2::duration(1), r2::duration::max()}) {
                rate_limiter limit({.permits = permits, .per = per, .burst = burst, .max_wait = -1h});
                for (int i = 0; i < 5; ++i) EXPECT_GE(ask(limit, 1)[0], 0s);
                for (int i = 0; i < 5; ++i) limit.cancel(here, start);
                EXPECT_EQ(ask(limit, 1, start + 1h)[0], 0s) << permits << ' ' << burst << ' ' << per.count();
            }
}

TEST(rate_limiter, refuses_and_says_when_a_place_is_free) {
    rate_limiter limit({.permits = 10, .burst = 1, .over = over_rate::refuse});
    EXPECT_FALSE(limit.admit(here, 1, start).refused());
    EXPECT_EQ(limit.admit(here, 1, start + 40ms).reason(), "rate limit of 10 in 1s: a place is free in 60ms");
    EXPECT_EQ(limit.admit(here, 1, start + 70ms).reason(), "rate limit of 10 in 1s: a place is free in 30ms");
    EXPECT_FALSE(limit.admit(here, 1, start + 100ms).refused()) << "a refusal takes no permit";
    rate_limiter slow({.permits = 1.0 / 3, .over = over_rate::refuse});
    EXPECT_FALSE(slow.admit(here, 1, start).refused());
    EXPECT_EQ(slow.admit(here, 1, start).reason(), "rate limit of 0.333333333333333 in 1s: a place is free in 3s");
}

TEST(rate_limiter, refuses_what_would_wait_longer_than_max_wait) {
    rate_limiter limit({.permits = 2.5, .per = 10s, .burst = 1, .max_wait = 8s});
    EXPECT_EQ(ask(limit, 3), (waits{0s, 4s, 8s}));
    EXPECT_EQ(limit.admit(here, 1, start).reason(), "rate limit of 2.5 in 10s: a place is free in 12s");
    EXPECT_EQ(ask(limit, 1, start + 4s), waits{8s});
}

TEST(rate_limiter, counts_each_origin_for_itself_unless_global) {
    for (const scope s : {scope::origin, scope::global}) {
        rate_limiter limit({.permits = 1}, s);
        EXPECT_EQ(limit.admit(here, 1, start).wait(), 0s);
        EXPECT_EQ(limit.admit(elsewhere, 1, start).wait(), s == scope::origin ? 0s : 1s);
        limit.cancel(elsewhere, start);
        EXPECT_EQ(limit.admit(here, 1, start).wait(), 1s);
    }
}

TEST(rate_limiter, takes_back_what_was_never_used) {
    rate_limiter limit({.permits = 3, .burst = 1});
    ask(limit, 3);
    limit.cancel(here, start);
    limit.cancel(here, start);
    EXPECT_EQ(ask(limit, 3), (waits{333'333'333ns, 666'666'666ns, 1s}));
    for (int i = 0; i < 9; ++i) limit.cancel(here, start);
    EXPECT_EQ(ask(limit, 2, start + 1h), (waits{0s, 333'333'333ns})) << "never more than the burst";
}

TEST(rate_limiter, takes_back_the_last_of_3_places_to_the_nanosecond) {
    rate_limiter limit({.permits = 3, .burst = 1});
    ask(limit, 3);
    limit.cancel(here, start);
    EXPECT_EQ(ask(limit, 2), (waits{666'666'666ns, 1s}));
}

TEST(rate_limiter, takes_nothing_back_where_all_places_are_free) {
    rate_limiter fresh({.permits = 3, .burst = 1});
    fresh.cancel(here, start);
    EXPECT_EQ(ask(fresh, 2), (waits{0s, 333'333'333ns}));

    rate_limiter rested({.permits = 3, .burst = 1}), cancelled({.permits = 3, .burst = 1});
    const auto then = start + 333'333'333ns;  // when the 1st place is over
    for (rate_limiter* each : {&rested, &cancelled}) ask(*each, 1);
    cancelled.cancel(here, then);
    EXPECT_EQ(ask(cancelled, 3, then), ask(rested, 3, then));
}

TEST(rate_limiter, gives_8_threads_as_many_permits_as_its_burst) {
    rate_limiter limit({.permits = 1000, .over = over_rate::refuse});
    std::atomic<int> admitted = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n) admitted += !limit.admit(here, 1, start).refused();
            });
    }
    EXPECT_EQ(admitted, 1000);
}

TEST(rate_limiter, gives_8_threads_places_that_add_up) {
    rate_limiter limit({.permits = 1000, .burst = 1});
    std::atomic<int> kept = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n) {
                    (void)limit.admit(here, 1, start);
                    if (n % 4 == 0)
                        limit.cancel(here, start);
                    else
                        ++kept;
                }
            });
    }
    EXPECT_EQ(ask(limit, 1), waits{kept.load() * 1ms});
}

TEST(rate_limiter, paces_a_range_from_its_first_attempt_on) {
    fake_client fake;
    fake.reply(503).reply(503).reply(503).reply(200);
    const auto limit = std::make_shared<rate_limiter>(rate_limiter_options{.permits = 1});
    (void)limit->admit(here, 1, start);
    std::vector<r2::wait_source> from;
    for (auto& a : fake.get(url, {.interval = 1ms, .guards = {limit}})) from.push_back(a.wait_from());
    EXPECT_EQ(fake.waits(), (waits{1s, 1s, 1s, 1s}));
    EXPECT_EQ(from, (std::vector{r2::wait_source::guard, r2::wait_source::guard, r2::wait_source::guard,
                                 r2::wait_source::none}));
}

TEST(rate_limiter, that_refuses_ends_a_range_at_the_attempt_before) {
    fake_client fake;
    fake.reply_after(10ms, 503);
    const auto limit =
        std::make_shared<rate_limiter>(rate_limiter_options{.permits = 1, .per = 1min, .over = over_rate::refuse});
    const auto last = fake.get(url, {.guards = {limit}}).finish();
    EXPECT_EQ(last.ended(), ended::refused);
    EXPECT_EQ(last.response()->status, 503);
    EXPECT_EQ(last.refusal(), "rate limit of 1 in 60s: a place is free in 59.99s");
}

TEST(rate_limiter, has_its_permit_back_from_a_range_that_ends_at_its_deadline) {
    fake_client fake;
    const auto limit = std::make_shared<rate_limiter>(rate_limiter_options{.permits = 1, .per = 1min});
    (void)limit->admit(here, 1, start);
    EXPECT_EQ(fake.get(url, {.deadline = 30s, .guards = {limit}}).finish().ended(), ended::deadline);
    EXPECT_EQ(limit->admit(here, 1, start).wait(), 1min);
    EXPECT_EQ(fake.requests().size(), 0U);
}

TEST(rate_limiter, has_its_permit_back_from_a_range_that_is_stopped_in_its_wait) {
    fake_client fake;
    std::stop_source source;
    fake.at(1s, [&] { source.request_stop(); });
    const auto limit = std::make_shared<rate_limiter>(rate_limiter_options{.permits = 1, .per = 1min});
    (void)limit->admit(here, 1, start);
    EXPECT_EQ(fake.get(url, {.stop = source.get_token(), .guards = {limit}}).finish().ended(), ended::stopped);
    EXPECT_EQ(limit->admit(here, 1, start + 1s).wait(), 59s);
}

}  // namespace
