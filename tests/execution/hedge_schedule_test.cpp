#include "r2/policy/hedge.hpp"

#include <gtest/gtest.h>

#include <concepts>

#include "r2/execution/hedge_schedule.hpp"

namespace {

using namespace std::chrono_literals;
using r2::detail::hedge_schedule;

constexpr r2::time_point start = r2::time_point(1h);

static_assert(std::convertible_to<std::chrono::milliseconds, r2::hedge_delay>);
static_assert(std::convertible_to<r2::percentile, r2::hedge_delay>);
static_assert(!std::convertible_to<std::chrono::duration<double>, r2::hedge_delay>);
static_assert(!std::convertible_to<int, r2::hedge_delay>);

TEST(hedge_schedule, sends_2_copies_50_ms_apart) {
    hedge_schedule s(2, 50ms, start);
    EXPECT_EQ(s.next(), start + 50ms);
    s.copy_sent(start + 51ms);
    EXPECT_EQ(s.next(), start + 101ms);
    s.copy_sent(start + 101ms);
    EXPECT_EQ(s.next(), r2::detail::never);
}

TEST(hedge_schedule, sends_at_most_5_and_none_for_less_than_1) {
    hedge_schedule s(100, 0ms, start);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(s.next(), start);
        s.copy_sent(start);
    }
    EXPECT_EQ(s.next(), r2::detail::never);
    EXPECT_EQ(hedge_schedule(0, 0ms, start).next(), r2::detail::never);
    EXPECT_EQ(hedge_schedule(-1, 0ms, start).next(), r2::detail::never);
}

TEST(hedge_policy, drains_for_100_ms_and_has_no_copies_unless_set) {
    EXPECT_EQ(r2::hedge_policy{}.drain, 100ms);
    EXPECT_EQ(r2::hedge_policy{}.copies, 0);
}

TEST(hedge_schedule, sends_nothing_after_the_longest_delay_and_at_once_after_the_shortest) {
    EXPECT_EQ(hedge_schedule(1, r2::duration::max(), start).next(), r2::detail::never);
    EXPECT_EQ(hedge_schedule(1, r2::duration::min(), start).next(), start);
}

TEST(hedge_schedule, goes_on_at_once_after_a_failure_but_not_before_a_retry_after) {
    hedge_schedule s(5, 50ms, start);
    s.copy_failed(start + 10ms, {});
    EXPECT_EQ(s.next(), start + 10ms);
    s.copy_failed(start + 20ms, 1s);
    EXPECT_EQ(s.next(), start + 1020ms);
    s.copy_failed(start + 30ms, {});  // of another copy
    EXPECT_EQ(s.next(), start + 1020ms);
    s.copy_failed(start + 30ms, 100ms);
    EXPECT_EQ(s.next(), start + 1020ms);
    s.copy_sent(start + 1020ms);
    EXPECT_EQ(s.next(), start + 1070ms);
    s.hold(start + 2s);  // a guard
    s.copy_failed(start + 1100ms, {});
    EXPECT_EQ(s.next(), start + 2s);
    s.end();
    EXPECT_EQ(s.next(), r2::detail::never);
}

}  // namespace
