#include <gtest/gtest.h>

#include <stop_token>

#include <r2/execution/attempt_limit.hpp>

namespace {

using namespace std::chrono_literals;
using r2::errc;
using r2::detail::attempt_limit;

constexpr r2::time_point start{24h};
constexpr r2::time_point never = r2::time_point::max();

TEST(attempt_limit, is_the_sooner_of_the_timeout_and_the_deadline) {
    const r2::options o{.timeout = 5s, .deadline = 9s};
    EXPECT_EQ(attempt_limit(o, start, never).next(start), start + 5s);
    EXPECT_EQ(attempt_limit(o, start, start + 3s).next(start), start + 3s);
    EXPECT_EQ(attempt_limit({}, start, never).next(start), never);
}

TEST(attempt_limit, passes_just_at_its_time) {
    const r2::options o{.timeout = 5s};
    attempt_limit l(o, start, never);
    EXPECT_FALSE(l.passed(start + 5s - 1ns));
    EXPECT_TRUE(l.passed(start + 5s));
    EXPECT_TRUE(l.passed_or_stopped(start + 5s));
    EXPECT_FALSE(l.by_stop());
}

TEST(attempt_limit, is_cut_by_a_stop_once_its_grace_is_over) {
    std::stop_source stop;
    const r2::options o{.timeout = 1min, .stop = stop.get_token(), .stop_grace = 2s};
    attempt_limit l(o, start, never);
    EXPECT_EQ(l.next(start), start + 1min);
    stop.request_stop();
    EXPECT_FALSE(l.passed_or_stopped(start + 30s)) << "it wasn't asked since";
    EXPECT_EQ(l.next(start + 3s), start + 5s);
    EXPECT_EQ(l.next(start + 4s), start + 5s) << "the grace counts from when the stop was noticed";
    EXPECT_FALSE(l.passed_or_stopped(start + 5s - 1ns));
    EXPECT_TRUE(l.passed_or_stopped(start + 5s));
    EXPECT_FALSE(l.passed(start + 5s));
    EXPECT_TRUE(l.by_stop());
}

TEST(attempt_limit, gives_no_grace_to_an_attempt_that_was_not_waited_for_yet) {
    std::stop_source stop;
    stop.request_stop();
    const r2::options o{.stop = stop.get_token(), .stop_grace = 2s};
    EXPECT_EQ(attempt_limit(o, start, never).next(start), start);
}

TEST(attempt_limit, is_the_timeout_where_that_comes_within_the_grace) {
    std::stop_source stop;
    const r2::options o{.timeout = 5s, .stop = stop.get_token(), .stop_grace = 2s};
    attempt_limit l(o, start, never);
    l.next(start);
    stop.request_stop();
    EXPECT_EQ(l.next(start + 4s), start + 5s);
    EXPECT_FALSE(l.by_stop());
    EXPECT_TRUE(l.reason(1) == errc::timeout);

    std::stop_source other;
    const r2::options same{.timeout = 5s, .stop = other.get_token(), .stop_grace = 2s};
    attempt_limit both(same, start, never);
    both.next(start);
    other.request_stop();
    EXPECT_EQ(both.next(start + 3s), start + 5s);
    EXPECT_FALSE(both.by_stop()) << "they come together";
}

TEST(attempt_limit, names_the_limit_in_its_error_and_whether_the_request_was_sent) {
    std::stop_source stop;
    const r2::options o{.timeout = 5s, .deadline = 9s, .stop = stop.get_token()};
    EXPECT_EQ(attempt_limit(o, start, never).reason(1).message(), "timeout: no complete response within 5s");
    EXPECT_EQ(attempt_limit(o, start, never).reason(1).sent(), r2::sent::maybe);
    EXPECT_EQ(attempt_limit(o, start, never).reason(0).message(), "timeout: not sent within 5s");
    EXPECT_EQ(attempt_limit(o, start, never).reason(0).sent(), r2::sent::no);
    EXPECT_EQ(attempt_limit(o, start, start + 1s).reason(1).message(),
              "timeout: no complete response before the deadline of 9s");
    attempt_limit cut(o, start, never);
    cut.next(start);
    stop.request_stop();
    cut.next(start);
    EXPECT_EQ(cut.reason(0).message(), "stopped: before the request was sent");
    EXPECT_EQ(cut.reason(2).message(), "stopped: before the response was complete");
    EXPECT_EQ(cut.reason(2).sent(), r2::sent::maybe);
}

}  // namespace
