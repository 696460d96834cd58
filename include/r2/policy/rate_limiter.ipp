#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "r2/policy/backoff.hpp"
#include "r2/policy/rate_limiter.hpp"

namespace r2::inline v0_2 {

namespace detail {

R2_INLINE cell_rate::cell_rate(double permits, duration per, double burst) noexcept : permits_(permits) {
    const double span = static_cast<double>(std::max(per, duration{}).count());
    rest_ = std::fmod(span, permits);
    distance_ = saturated((span - rest_) / permits);
    const double at_once = burst > 0 ? burst : permits;
    tolerance_ = saturated(std::floor((at_once - 1) * span / permits));
}

R2_INLINE duration cell_rate::wait(const line& l, time_point now) const noexcept {
    const duration ahead = std::max(l.end, now) - now;
    return std::max(ahead - tolerance_, duration{});
}

R2_INLINE void cell_rate::take(line& l, time_point now) const noexcept {
    if (l.end < now) l = {now};
    l.end = later(l.end, distance_);
    l.rest += rest_;
    if (l.rest < permits_) return;
    l.rest -= permits_;
    l.end = later(l.end, duration(1));
}

R2_INLINE void cell_rate::give_back(line& l, time_point now) const noexcept {
    if (l.end <= now) return;  // all places are free
    l.end -= std::chrono::duration_cast<time_point::duration>(distance_);
    l.rest -= rest_;
    if (l.rest >= 0) return;
    l.rest += permits_;
    l.end -= time_point::duration(1);
}

}  // namespace detail

R2_INLINE rate_limiter::rate_limiter(const rate_limiter_options& o, scope s)
    : rate_(o.permits, o.per, o.burst), longest_(longest_wait(o)), refusal_(refusal(o)), lines_(s, {}) {}

R2_INLINE admission rate_limiter::admit(const request& q, int, time_point now) {
    if (rate_.unlimited()) return admission::go;
    const duration wait = place(q, now);
    if (wait <= longest_) return admission::wait(wait);
    return admission::refuse(refusal_ + r2::to_string(wait));
}

R2_INLINE void rate_limiter::cancel(const request& q, time_point now) {
    const std::lock_guard lock(mutex_);
    rate_.give_back(lines_.of(q), now);
}

R2_INLINE duration rate_limiter::longest_wait(const rate_limiter_options& o) noexcept {
    if (o.over == over_rate::refuse) return {};
    return o.max_wait > duration{} ? o.max_wait : duration::max();
}

/// Makes the refusal up to the wait.
R2_INLINE std::string rate_limiter::refusal(const rate_limiter_options& o) {
    char permits[32];
    const auto [end, failure] =
        std::to_chars(std::begin(permits), std::end(permits), o.permits, std::chars_format::general, 15);
    return "rate limit of " + std::string(permits, end) + " in " + r2::to_string(o.per) + ": a place is free in ";
}

/// Returns how far off the next place is, and takes it unless that is too far.
R2_INLINE duration rate_limiter::place(const request& q, time_point now) {
    const std::lock_guard lock(mutex_);
    auto& line = lines_.of(q);
    const duration wait = rate_.wait(line, now);
    if (wait <= longest_) rate_.take(line, now);
    return wait;
}

}  // namespace r2::inline v0_2
