#pragma once

#include <mutex>
#include <optional>

#include "r2/config.hpp"
#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// The recovery of a rate after a throttling response: fast at first, then flat around the rate that was throttled,
/// then beyond it.
class cubic_curve {
public:
    static constexpr double beta = 0.7;   ///< The share of the rate that is left after a throttling response.
    static constexpr double scale = 0.4;  ///< The steepness of the curve.

    /// Starts the curve when `rate` (requests a second) was throttled at `t` (seconds). Returns the lower rate.
    double throttle(double rate, double t) noexcept;

    double at(double t) const noexcept {
        const double x = t - level_at_;
        return scale * x * x * x + level_;
    }

private:
    double level_ = 0;
    double level_at_ = 0;
};

/// The arithmetic of the adaptive mode of the AWS SDKs (aws-sdk-go-v2, retry.adaptiveRateLimit). Times are seconds from
/// its start. A time may be a little before the last one, as between threads.
class cubic_rate {
public:
    static constexpr double smooth = 0.8;    ///< The weight of a measurement against those before it.
    static constexpr double bucket = 0.5;    ///< Seconds between measurements.
    static constexpr double min_fill = 0.5;  ///< Tokens a second.

    /// Takes a token. Returns the seconds until it is available. Tokens may be owed, so each waiting caller has a time
    /// of its own.
    double take(double t) noexcept;

    /// Returns a token that wasn't used.
    void give_back() noexcept;

    /// Adapts the rate to the end of an attempt.
    void update(double t, bool throttled) noexcept;

    bool limiting() const noexcept { return limiting_; }
    double fill() const noexcept { return fill_; }
    double measured() const noexcept { return measured_; }

private:
    void measure(double t) noexcept;
    void refill(double t) noexcept;

    bool limiting_ = false;
    cubic_curve curve_;
    double fill_ = 0;  // tokens a second
    double capacity_ = 1;
    double tokens_ = 0;  // negative: owed to waiting callers
    double refilled_at_ = 0;
    double measured_ = 0;  // requests a second
    double measured_at_ = 0;
    double count_ = 0;  // since then
};

}  // namespace detail

/// Finds out how many requests a second a server takes, as the adaptive mode of the AWS SDKs does. Limits nothing until
/// the first response that is `throttled`. From then on it paces all attempts, first attempts and retries alike: at 0.7
/// times the rate that was too high, then on a cubic curve back to it and beyond; at most at twice the measured rate,
/// at least at one attempt in 2 s. Every other outcome, an error too, raises the rate. Never refuses. Thread-safe.
///
/// It gives each waiting attempt a start time and never moves it up. A higher rate, or an attempt that is never made,
/// speeds up only attempts that are admitted later. So a recovered server may be underused while many wait.
class adaptive_limiter final : public guard {
public:
    explicit adaptive_limiter(scope s = scope::origin);

    /// Returns the current limit for this origin, in attempts a second; infinity while it limits nothing. For metrics.
    double rate(const request& q);

    // R2_INLINE here too: see config.hpp.
    R2_INLINE admission admit(const request& q, int number, time_point now) override;
    R2_INLINE void record_of(const request& q, const attempt& a, time_point now) override;
    R2_INLINE void cancel(const request& q, time_point now) override;

private:
    struct state {
        detail::cubic_rate rate;
        std::optional<time_point> start;

        double seconds(time_point now) noexcept;
    };

    std::mutex mutex_;
    detail::by_origin<state> states_;
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/policy/adaptive_limiter.ipp"
#endif
