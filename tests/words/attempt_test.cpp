#include "r2/words/attempt.hpp"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace {

using r2::errc;

TEST(attempt, is_a_response_or_an_error_and_binds_two) {
    r2::attempt good(r2::response{.status = 204});
    auto&& [res, err] = good;
    static_assert(std::is_same_v<decltype(res), r2::response*>);
    static_assert(std::is_same_v<decltype(err), const r2::error&>);
    ASSERT_NE(res, nullptr);
    EXPECT_EQ(res->status, 204);
    EXPECT_FALSE(err);

    const r2::attempt bad{r2::error(errc::connect)};
    auto&& [no_res, connect] = bad;
    static_assert(std::is_same_v<decltype(no_res), const r2::response*>);
    EXPECT_EQ(no_res, nullptr);
    EXPECT_EQ(connect, errc::connect);
    EXPECT_EQ(bad.number(), 1);
    EXPECT_EQ(bad.sends(), 0);
    EXPECT_EQ(bad.ended(), r2::ended::not_yet);
}

TEST(attempt, of_an_empty_error_is_still_an_error) {
    const r2::attempt a{r2::error()};
    EXPECT_EQ(a.response(), nullptr);
    EXPECT_TRUE(a.error());
}

TEST(ended, has_11_names) {
    const std::pair<r2::ended, const char*> names[] = {
        {r2::ended::not_yet, "not_yet"},
        {r2::ended::succeeded, "succeeded"},
        {r2::ended::condition_met, "condition_met"},
        {r2::ended::not_retryable, "not_retryable"},
        {r2::ended::exhausted, "exhausted"},
        {r2::ended::deadline, "deadline"},
        {r2::ended::stopped, "stopped"},
        {r2::ended::refused, "refused"},
        {r2::ended::retry_after_too_long, "retry_after_too_long"},
        {r2::ended::unsafe_to_replay, "unsafe_to_replay"},
        {r2::ended::threw, "threw"},
    };
    for (const auto& [e, name] : names) EXPECT_EQ(to_string(e), name);
    EXPECT_EQ(to_string(static_cast<r2::ended>(1000)), "unknown");
}

TEST(wait_source, has_5_names) {
    const std::pair<r2::wait_source, const char*> names[] = {
        {r2::wait_source::none, "none"},         {r2::wait_source::backoff, "backoff"},
        {r2::wait_source::interval, "interval"}, {r2::wait_source::retry_after, "retry_after"},
        {r2::wait_source::guard, "guard"},
    };
    for (const auto& [source, name] : names) EXPECT_EQ(to_string(source), name);
    EXPECT_EQ(to_string(static_cast<r2::wait_source>(1000)), "unknown");
}

}  // namespace
