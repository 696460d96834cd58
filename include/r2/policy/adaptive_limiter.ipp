#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "r2/policy/adaptive_limiter.hpp"
#include "r2/policy/backoff.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

namespace detail {

R2_INLINE double cubic_curve::throttle(double rate, double t) noexcept {
    level_ = rate;
    level_at_ = t + std::cbrt(rate * (1 - beta) / scale);
    return rate * beta;
}

R2_INLINE double cubic_rate::take(double t) noexcept {
    if (!limiting_) return 0;
    refill(t);
    tokens_ -= 1;
    return std::max(0.0, -tokens_ / fill_);
}

R2_INLINE void cubic_rate::give_back() noexcept {
    if (limiting_) tokens_ = std::min(tokens_ + 1, capacity_);
}

R2_INLINE void cubic_rate::update(double t, bool throttled) noexcept {
    measure(t);
    double rate;
    if (throttled) {
        rate = curve_.throttle(limiting_ ? std::min(measured_, fill_) : measured_, t);
        limiting_ = true;
    } else {
        rate = curve_.at(t);
    }
    rate = std::min(rate, 2 * measured_);
    refill(t);
    fill_ = std::max(rate, min_fill);
    capacity_ = std::max(rate, 1.0);
    tokens_ = std::min(tokens_, capacity_);
}

R2_INLINE void cubic_rate::measure(double t) noexcept {
    ++count_;
    const double now = std::floor(t / bucket) * bucket;
    if (now <= measured_at_) return;
    measured_ = smooth * count_ / (now - measured_at_) + (1 - smooth) * measured_;
    measured_at_ = now;
    count_ = 0;
}

R2_INLINE void cubic_rate::refill(double t) noexcept {
    if (t <= refilled_at_) return;
    tokens_ = std::min(tokens_ + (t - refilled_at_) * fill_, capacity_);
    refilled_at_ = t;
}

}  // namespace detail

R2_INLINE adaptive_limiter::adaptive_limiter(scope s) : states_(s, {}) {}

R2_INLINE double adaptive_limiter::rate(const request& q) {
    const std::lock_guard lock(mutex_);
    const auto& rate = states_.of(q).rate;
    return rate.limiting() ? rate.fill() : std::numeric_limits<double>::infinity();
}

R2_INLINE admission adaptive_limiter::admit(const request& q, int, time_point now) {
    const std::lock_guard lock(mutex_);
    state& s = states_.of(q);
    return admission::wait(detail::saturated(s.rate.take(s.seconds(now)) * 1e9));
}

R2_INLINE void adaptive_limiter::record_of(const request& q, const attempt& a, time_point now) {
    const bool too_fast = throttled(a);
    const std::lock_guard lock(mutex_);
    state& s = states_.of(q);
    s.rate.update(s.seconds(now), too_fast);
}

R2_INLINE void adaptive_limiter::cancel(const request& q, time_point) {
    const std::lock_guard lock(mutex_);
    states_.of(q).rate.give_back();
}

/// Counts from the first attempt to the origin: silence before it is no low rate.
R2_INLINE double adaptive_limiter::state::seconds(time_point now) noexcept {
    if (!start) start = now;
    return std::chrono::duration<double>(now - *start).count();
}

}  // namespace r2::inline v0_2
