#include <gtest/gtest.h>

#include <chrono>

#include "r2/policy/backoff.hpp"
#include "r2/policy/jitter.hpp"

// The strategies of other libraries, with the numbers of their code and tests. Those count retries from 1, r2 from 0.

namespace {

using namespace std::chrono_literals;
using r2::backoff;
using r2::duration;
using r2::jitter;

constexpr double almost_1 = 0.9999999;

void expect_near(duration d, duration expected, duration off) {
    EXPECT_LE(d, expected + off);
    EXPECT_GE(d, expected - off);
}

TEST(pester, has_5_strategies) {
    for (const int n : {0, 1, 2}) EXPECT_EQ(backoff::constant(1s).delay(n), 1s);

    const auto linear = backoff::linear(1s);
    EXPECT_EQ(linear.delay(0), 1s);
    EXPECT_EQ(linear.delay(1), 2s);
    EXPECT_EQ(linear.delay(2), 3s);
    EXPECT_EQ(linear.delay(9), 10s);

    const auto exponential = backoff::exponential(2s);
    EXPECT_EQ(exponential.delay(0), 2s);
    EXPECT_EQ(exponential.delay(1), 4s);
    EXPECT_EQ(exponential.delay(2), 8s);
    EXPECT_EQ(exponential.delay(3), 16s);
    EXPECT_EQ(exponential.delay(9), 1024s);
    EXPECT_EQ(exponential.delay(32), 8589934592s);
    EXPECT_EQ(exponential.delay(33), duration::max()) << "pester's turns negative and doesn't wait";

    // pester's jitter is a third in whole milliseconds, ours is 33 %.
    constexpr jitter third = jitter::proportional(0.33);
    struct row {
        duration delay, least, most;
    };
    constexpr row rows[] = {{1s, 667ms, 1332ms},      {2s, 1334ms, 2665ms},   {3s, 2000ms, 3999ms},
                            {4s, 2667ms, 5332ms},     {8s, 5334ms, 10'665ms}, {10s, 6667ms, 13'332ms},
                            {16s, 10'667ms, 21'332ms}};
    for (const row& r : rows) {
        expect_near(third.apply(r.delay, 0s, 0), r.least, r.delay / 100);
        expect_near(third.apply(r.delay, 0s, almost_1), r.most, r.delay / 100);
        EXPECT_GE(third.apply(r.delay, 0s, 0), r.least);
        EXPECT_LE(third.apply(r.delay, 0s, almost_1), r.most);
    }
}

TEST(retry_go, has_a_backoff_that_never_overflows_in_62_retries) {
    EXPECT_EQ(backoff::exponential(-1ns).delay(1), 0s);
    EXPECT_EQ(backoff::exponential(0s).delay(64), 0s);
    EXPECT_EQ(backoff::exponential(1s).delay(0), 1s);
    EXPECT_EQ(backoff::exponential(1s).delay(33), 8589934592s) << "the longest wait of retry-go";
    EXPECT_EQ(backoff::exponential(1s).delay(61), duration::max()) << "ours grows up to the longest duration";
    const duration by_default[] = {100ms, 200ms, 400ms, 800ms, 1600ms};
    for (int n = 0; n < 5; ++n) EXPECT_EQ(backoff::exponential(100ms).delay(n), by_default[n]);
}

TEST(retry_go, combines_2_strategies_by_adding_them) {
    const auto both = backoff::exponential(100ms) + backoff::constant(50ms);
    EXPECT_EQ(both.delay(0), 150ms);
    EXPECT_EQ(both.delay(2), 450ms);
    EXPECT_EQ((backoff::constant(duration::max()) + backoff::constant(1s) + backoff::constant(1ms)).delay(0),
              duration::max());

    constexpr jitter random = jitter::additive(100ms);
    EXPECT_EQ(random.apply(200ms, 0s, 0), 200ms);
    expect_near(random.apply(200ms, 0s, almost_1), 300ms, 1us);
    EXPECT_EQ(jitter::additive(0s).apply(200ms, 0s, 0.5), 200ms);
    EXPECT_EQ(jitter::additive(-1s).apply(200ms, 0s, 0.5), 200ms);
    EXPECT_EQ(jitter::additive(duration::max()).apply(duration::max(), 0s, 0.5), duration::max());
}

TEST(retry_go, has_a_random_delay_below_100_ms) {
    const duration most = backoff::constant(100ms).delay(7);
    EXPECT_EQ(jitter::full().apply(most, 0s, 0), 0s);
    EXPECT_LT(jitter::full().apply(most, 0s, almost_1), 100ms);
    EXPECT_EQ(jitter::full().apply(backoff::constant(0s).delay(0), 0s, 0.5), 0s);
}

TEST(retry_go, has_full_jitter_in_14_rows) {
    struct row {
        duration base, cap;
        int retry;  // from 0, as in r2
        duration most;
    };
    constexpr row rows[] = {{50ms, 500ms, 0, 50ms},  {50ms, 500ms, 1, 100ms},  {50ms, 500ms, 2, 200ms},
                            {50ms, 500ms, 3, 400ms}, {50ms, 500ms, 4, 500ms},  {50ms, 500ms, 5, 500ms},
                            {50ms, 500ms, 6, 500ms}, {50ms, 500ms, 10, 500ms}, {50ms, 0ms, 0, 50ms},
                            {50ms, 0ms, 1, 100ms},   {50ms, 0ms, 2, 200ms},    {50ms, 0ms, 3, 400ms},
                            {0ms, 500ms, 0, 0ms},    {0ms, 500ms, 1, 0ms}};
    for (const row& r : rows) {
        const duration delay = backoff::exponential(r.base, 2.0, r.cap).delay(r.retry);
        EXPECT_EQ(delay, r.most);
        EXPECT_EQ(jitter::full().apply(delay, 0s, 0), 0s);
        EXPECT_LE(jitter::full().apply(delay, 0s, almost_1), r.most);
    }
}

TEST(go_retryablehttp, waits_1_s_then_2_then_4_up_to_30) {
    const auto b = backoff::exponential(1s, 2.0, 30s);
    const duration waits[] = {1s, 2s, 4s, 8s, 16s, 30s, 30s};
    for (int n = 0; n < 7; ++n) EXPECT_EQ(b.delay(n), waits[n]);
}

TEST(urllib3, with_a_factor_of_200_ms_waits_400_ms_at_its_2nd_retry) {
    const auto b = backoff::exponential(400ms, 2.0, 120s);
    const duration waits[] = {400ms, 800ms, 1600ms};
    for (int n = 0; n < 3; ++n) EXPECT_EQ(b.delay(n), waits[n]);
    EXPECT_EQ(b.delay(20), 120s);
}

}  // namespace
