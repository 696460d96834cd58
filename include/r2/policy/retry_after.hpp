#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "r2/policy/http_date.hpp"
#include "r2/words/response.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// The reaction to a server that asks for a longer wait than `retry_after_policy::max`.
enum class over_max {
    stop,   ///< End the range: `ended::retry_after_too_long`.
    clamp,  ///< Wait `max`, which is shorter than asked.
    wait,   ///< Wait as asked.
};

/// Whether, and how long, a range waits as the server asks (RFC 9110, 10.2.3).
struct retry_after_policy {
    bool honour = true;                    ///< False: ignores what the server asks.
    duration max = std::chrono::hours(6);  ///< Zero or negative: 6h.
    r2::over_max over = r2::over_max::stop;
};

namespace detail {

/// Parses digits alone, as a number of units. Returns the longest duration if the number is too large for one.
constexpr std::optional<duration> parse_digits(std::string_view text, duration unit) noexcept {
    if (text.empty()) return std::nullopt;
    const duration::rep most = duration::max() / unit;
    duration::rep value = 0;
    bool too_much = false;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        too_much = too_much || value > (most - (c - '0')) / 10;
        if (!too_much) value = value * 10 + (c - '0');
    }
    return too_much ? duration::max() : unit * value;
}

/// Returns `to - from`; 0 if that is negative, and at most the longest duration.
constexpr duration between(wall_time from, wall_time to) noexcept {
    if (to <= from) return {};
    if (from < wall_time{} && to > wall_time::max() + from.time_since_epoch()) return duration::max();
    return to - from;
}

/// Returns the wait that a Retry-After of this value asks for (RFC 9110, 10.2.3); nothing if it is malformed, 0 or
/// past. A date is relative to `date`, the response's own Date field, or to `now` if that is no date.
constexpr std::optional<duration> parse_retry_after(std::string_view value, std::string_view date,
                                                    wall_time now) noexcept {
    std::optional<duration> wait = parse_digits(value, std::chrono::seconds(1));
    if (!wait)
        if (const auto until = parse_http_date(value, now))
            wait = between(parse_http_date(date, now).value_or(now), *until);
    return wait && *wait > duration{} ? wait : std::nullopt;
}

/// Returns the wait that the response's first Retry-After asks for, if any.
inline std::optional<duration> retry_after(const response& res, wall_time now) noexcept {
    const auto value = res.headers.get("Retry-After");
    return value ? parse_retry_after(*value, res.headers.get("Date").value_or(""), now) : std::nullopt;
}

}  // namespace detail

}  // namespace r2::inline v0_2
