#pragma once

#include <chrono>
#include <string>

namespace r2::inline v0_2 {

/// A span of time. Any integral std::chrono duration converts to it: 500ms does, 0.5s doesn't.
using duration = std::chrono::nanoseconds;

/// A moment on the steady clock: setting the machine's clock moves no deadline.
using time_point = std::chrono::steady_clock::time_point;

/// A calendar time, of an HTTP date or the machine's clock. Setting that clock changes it.
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

namespace detail {

/// The moment that never comes.
inline constexpr time_point never = time_point::max();

/// Returns `t + d` for d >= 0, or `never` if the sum overflows.
constexpr time_point later(time_point t, duration d) noexcept {
    return d < never - t ? t + std::chrono::duration_cast<time_point::duration>(d) : never;
}

/// Returns `a + b` for a, b >= 0, at most `duration::max()`.
constexpr duration sum(duration a, duration b) noexcept { return a < duration::max() - b ? a + b : duration::max(); }

}  // namespace detail

/// Formats for people: in the largest unit that fits, with at most three decimals, such as "1.5s", "250ms" or "0s".
/// ADL doesn't find this overload: call it as `r2::to_string(d)`.
inline std::string to_string(duration d) {
    struct unit {
        duration::rep size;
        const char* name;
    };
    constexpr unit units[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}};
    if (d < duration{}) return "-" + to_string(d == duration::min() ? duration::max() : -d);
    if (d == duration{}) return "0s";
    for (const auto& [size, name] : units) {
        if (d.count() < size) continue;
        std::string text = std::to_string(d.count() / size);
        if (const auto thousandths = size == 1 ? 0 : d.count() % size / (size / 1000)) {
            text += '.' + std::to_string(1000 + thousandths).substr(1);
            text.resize(text.find_last_not_of('0') + 1);
        }
        return text + name;
    }
    return {};
}

}  // namespace r2::inline v0_2
