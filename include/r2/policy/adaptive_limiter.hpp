#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>

#include "r2/policy/backoff.hpp"
#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// How a rate recovers from a throttling answer: first fast, then level where it was throttled, then beyond.
class cubic_curve {
public:
    static constexpr double beta = 0.7;   ///< What a throttling answer leaves of the rate.
    static constexpr double scale = 0.4;  ///< How steep the curve is.

    /// Throttled at `rate` requests a second, at `t` seconds: the rate that is left, where the curve begins.
    double throttle(double rate, double t) noexcept {
        level_ = rate;
        level_at_ = t + std::cbrt(rate * (1 - beta) / scale);
        return rate * beta;
    }

    double at(double t) const noexcept {
        const double x = t - level_at_;
        return scale * x * x * x + level_;
    }

private:
    double level_ = 0;
    double level_at_ = 0;
};

/// The arithmetic of the adaptive mode of the AWS SDKs (aws-sdk-go-v2, retry.adaptiveRateLimit), told the time in
/// seconds since its start. Times that go back a little, as between threads, do no harm.
class cubic_rate {
public:
    static constexpr double smooth = 0.8;    ///< How much a measurement counts against those before it.
    static constexpr double bucket = 0.5;    ///< Seconds between measurements.
    static constexpr double min_fill = 0.5;  ///< Tokens a second.

    /// Takes a token, and tells in how many seconds it is there: it may be owed, so that each of many callers at once
    /// has a time of its own.
    double take(double t) noexcept {
        if (!limiting_) return 0;
        refill(t);
        tokens_ -= 1;
        return std::max(0.0, -tokens_ / fill_);
    }

    /// For a token that wasn't used.
    void give_back() noexcept {
        if (limiting_) tokens_ = std::min(tokens_ + 1, capacity_);
    }

    /// An attempt is over.
    void update(double t, bool throttled) noexcept {
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

    bool limiting() const noexcept { return limiting_; }
    double fill() const noexcept { return fill_; }
    double measured() const noexcept { return measured_; }

private:
    void measure(double t) noexcept {
        ++count_;
        const double now = std::floor(t / bucket) * bucket;
        if (now <= measured_at_) return;
        measured_ = smooth * count_ / (now - measured_at_) + (1 - smooth) * measured_;
        measured_at_ = now;
        count_ = 0;
    }

    void refill(double t) noexcept {
        if (t <= refilled_at_) return;
        tokens_ = std::min(tokens_ + (t - refilled_at_) * fill_, capacity_);
        refilled_at_ = t;
    }

    bool limiting_ = false;
    cubic_curve curve_;
    double fill_ = 0;  // tokens a second
    double capacity_ = 1;
    double tokens_ = 0;  // negative: owed to those who wait
    double refilled_at_ = 0;
    double measured_ = 0;  // requests a second
    double measured_at_ = 0;
    double count_ = 0;  // since then
};

}  // namespace detail

/// Finds out how many requests a second a server takes, as the adaptive mode of the AWS SDKs does. Free until the first
/// answer that is `throttled`; from then on it paces all attempts, first ones and retries alike: at 0.7 times the rate
/// that was too much, then on a cubic curve back to it and beyond, at most at twice the rate measured, at least at one
/// attempt in 2 s. Every other outcome, an error too, raises the rate. Never refuses. Shared by ranges on any threads.
///
/// Each attempt is given its time when it asks, and keeps it: when the rate changes, and when one before it is never
/// made, that speeds up only those who ask later. So many who wait at once leave some of a recovered server unused.
class adaptive_limiter final : public guard {
public:
    explicit adaptive_limiter(scope s = scope::origin) : states_(s, {}) {}

    /// Attempts a second that it lets start to where `q` goes; infinity while it is free. For metrics.
    double rate(const request& q) {
        const std::lock_guard lock(mutex_);
        const auto& rate = states_.of(q).rate;
        return rate.limiting() ? rate.fill() : std::numeric_limits<double>::infinity();
    }

    admission admit(const request& q, int, time_point now) override {
        const std::lock_guard lock(mutex_);
        state& s = states_.of(q);
        return admission::wait(detail::saturated(s.rate.take(s.seconds(now)) * 1e9));
    }

    void record_of(const request& q, const attempt& a, time_point now) override {
        const bool too_fast = throttled(a);
        const std::lock_guard lock(mutex_);
        state& s = states_.of(q);
        s.rate.update(s.seconds(now), too_fast);
    }

    void cancel(const request& q, time_point) override {
        const std::lock_guard lock(mutex_);
        states_.of(q).rate.give_back();
    }

private:
    struct state {
        detail::cubic_rate rate;
        std::optional<time_point> start;

        /// Since the origin was first asked for: an hour of silence before that is no low rate.
        double seconds(time_point now) noexcept {
            if (!start) start = now;
            return std::chrono::duration<double>(now - *start).count();
        }
    };

    std::mutex mutex_;
    detail::by_origin<state> states_;
};

}  // namespace r2::inline v0_2
