#include "r2/words/time.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace {

using namespace std::chrono_literals;

TEST(duration, takes_any_integral_duration_and_no_fraction) {
    static_assert(std::is_convertible_v<std::chrono::minutes, r2::duration>);
    static_assert(!std::is_convertible_v<std::chrono::duration<double>, r2::duration>);
}

TEST(duration, is_written_in_the_largest_unit_that_fits) {
    EXPECT_EQ(r2::to_string(0s), "0s");
    EXPECT_EQ(r2::to_string(1500ms), "1.5s");
    EXPECT_EQ(r2::to_string(250ms), "250ms");
    EXPECT_EQ(r2::to_string(1234567ns), "1.234ms");
    EXPECT_EQ(r2::to_string(1us), "1us");
    EXPECT_EQ(r2::to_string(999ns), "999ns");
    EXPECT_EQ(r2::to_string(90min), "5400s");
    EXPECT_EQ(r2::to_string(1001ms), "1.001s");
    EXPECT_EQ(r2::to_string(-2s), "-2s");
}

TEST(later, never_overflows) {
    static_assert(r2::detail::later(r2::time_point{}, 5s) == r2::time_point{} + 5s);
    static_assert(r2::detail::later(r2::time_point{1s}, r2::duration::max()) == r2::detail::never);
    static_assert(r2::detail::later(r2::detail::never, 1ns) == r2::detail::never);
}

TEST(sum, stops_at_the_longest_duration) {
    static_assert(r2::detail::sum(1s, 2s) == 3s);
    static_assert(r2::detail::sum(r2::duration::max(), 1ns) == r2::duration::max());
}

}  // namespace
