#include "r2/policy/retry_after.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

constexpr auto y2026 = r2::wall_time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));

TEST(retry_after, is_a_number_of_seconds_or_a_date_and_else_nothing) {
    static_assert(r2::detail::parse_retry_after("120", "", y2026) == 120s);
    static_assert(r2::detail::parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", "", y2026) == 2min);
    static_assert(
        r2::detail::parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", "Thu, 01 Jan 2026 00:01:00 GMT", y2026) == 1min);
    static_assert(r2::detail::parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", "not a date", y2026) == 2min);
    static_assert(r2::detail::parse_retry_after("99999999999999999999", "", y2026) == r2::duration::max());
    static_assert(r2::detail::parse_retry_after("92233720370", "", y2026) == r2::duration::max());
    static_assert(r2::detail::parse_retry_after("9223372037", "", y2026) == r2::duration::max());
    static_assert(r2::detail::parse_retry_after("9223372036", "", y2026) == 9223372036s);
    for (const char* text :
         {"", "0", "-1", "+1", "1.5", "120s", "soon", "1 2", "0x10", "Wed, 31 Dec 2025 23:59:59 GMT"})
        EXPECT_EQ(r2::detail::parse_retry_after(text, "", y2026), std::nullopt) << text;
}

TEST(retry_after, may_count_from_before_1970) {
    EXPECT_EQ(r2::detail::between(r2::wall_time(-1h), r2::wall_time(1h)), 2h);
    EXPECT_EQ(r2::detail::between(r2::wall_time(1h), r2::wall_time(-1h)), 0s);
    EXPECT_EQ(r2::detail::between(r2::wall_time(-1h), r2::wall_time::max()), r2::duration::max());
}

TEST(retry_after, counts_the_first_of_several_headers) {
    EXPECT_EQ(r2::detail::retry_after({.status = 503, .headers = {{"Retry-After", "3"}, {"Retry-After", "9"}}}, y2026),
              3s);
    EXPECT_EQ(
        r2::detail::retry_after({.status = 503, .headers = {{"Retry-After", "soon"}, {"Retry-After", "9"}}}, y2026),
        std::nullopt);
    EXPECT_EQ(r2::detail::retry_after({.status = 503}, y2026), std::nullopt);
}

}  // namespace
