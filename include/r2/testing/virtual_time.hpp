#pragma once

#include <chrono>

#include "r2/policy/http_date.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

/// The start of virtual time, on the steady clock and on the calendar.
inline constexpr time_point virtual_beginning = time_point(std::chrono::hours(24));
inline constexpr wall_time virtual_wall_beginning = wall_time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));

}  // namespace r2::inline v0_2::testing::detail
