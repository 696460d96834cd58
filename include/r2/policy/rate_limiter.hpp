#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "r2/config.hpp"
#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"

namespace r2::inline v0_2 {

/// Whether an attempt over the rate is delayed or refused.
enum class over_rate { delay, refuse };

/// The rate of a `rate_limiter`. Zero or negative is "not set".
struct rate_limiter_options {
    double permits = 0;                      ///< Attempts in each `per`. Not set, infinite or NaN: no limit.
    duration per = std::chrono::seconds(1);  ///< Not set: no limit.
    double burst = 0;                        ///< Attempts at once after a rest, at least 1. Not set: `permits`.
    over_rate over = over_rate::delay;       ///< `refuse` ends the range.
    duration max_wait = {};                  ///< A longer delay becomes a refusal. Not set: no limit.
};

namespace detail {

/// Spaces start times evenly: the generic cell rate algorithm (ITU-T I.371, A.1). Stores a queue as one time, the end
/// of its last place. Keeps fractions of a nanosecond.
class cell_rate {
public:
    /// The queue of one origin.
    struct line {
        time_point end = time_point::min();
        double rest = 0;  // of a nanosecond, in parts of 1 / permits
    };

    cell_rate(double permits, duration per, double burst) noexcept;

    bool unlimited() const noexcept { return !(permits_ > 0); }

    /// Returns how far off the next place is; 0 if one is free.
    duration wait(const line& l, time_point now) const noexcept;

    void take(line& l, time_point now) const noexcept;
    void give_back(line& l, time_point now) const noexcept;

private:
    double permits_;
    double rest_;
    duration distance_;
    duration tolerance_;
};

}  // namespace detail

/// Lets `permits` attempts start in each `per`, first attempts and retries alike, and `burst` at once after a rest.
/// Others wait for their place, in the order in which they were admitted, or are refused. Thread-safe.
///
/// A retry gets its place when the attempt before it is decided. If its own wait is longer, as after a Retry-After, it
/// starts later than its place, and maybe together with others.
///
/// An attempt that is never made gives its place back: later attempts get one place nearer, and those that wait already
/// keep theirs. Two may then start together, but never more in all than the rate allows.
class rate_limiter final : public guard {
public:
    explicit rate_limiter(const rate_limiter_options& o, scope s = scope::origin);

    // R2_INLINE here too: see config.hpp.
    R2_INLINE admission admit(const request& q, int number, time_point now) override;
    R2_INLINE void cancel(const request& q, time_point now) override;

private:
    static duration longest_wait(const rate_limiter_options& o) noexcept;
    static std::string refusal(const rate_limiter_options& o);
    duration place(const request& q, time_point now);

    const detail::cell_rate rate_;
    const duration longest_;
    const std::string refusal_;
    std::mutex mutex_;
    detail::by_origin<detail::cell_rate::line> lines_;
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/policy/rate_limiter.ipp"
#endif
