#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <mutex>
#include <string>

#include "r2/policy/backoff.hpp"
#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"

namespace r2::inline v0_2 {

/// What becomes of an attempt that comes too soon.
enum class over_rate { delay, refuse };

/// So many attempts in so much time. Zero or negative is "not set".
struct rate_limiter_options {
    double permits = 0;                      ///< Attempts in each `per`. Not set, infinite or NaN: no limit.
    duration per = std::chrono::seconds(1);  ///< Not set: no limit.
    double burst = 0;                        ///< Attempts at once after a rest, at least 1. Not set: `permits`.
    over_rate over = over_rate::delay;       ///< `refuse` ends the range.
    duration max_wait = {};                  ///< What would be delayed for longer is refused. Not set: any wait.
};

namespace detail {

/// Places in time at an even distance: the generic cell rate algorithm (ITU-T I.371, A.1), of which a line of waiting
/// callers is one moment and no queue. Exact: a distance of 333,333,333⅓ ns is kept as such.
class cell_rate {
public:
    /// Where the line of one origin ends.
    struct line {
        time_point end = time_point::min();
        double rest = 0;  // of a nanosecond, in parts of 1 / permits
    };

    cell_rate(double permits, duration per, double burst) noexcept : permits_(permits) {
        const double span = static_cast<double>(std::max(per, duration{}).count());
        rest_ = std::fmod(span, permits);
        distance_ = saturated((span - rest_) / permits);
        const double at_once = burst > 0 ? burst : permits;
        tolerance_ = saturated(std::floor((at_once - 1) * span / permits));
    }

    bool unlimited() const noexcept { return !(permits_ > 0); }

    /// How long the next place is off; 0 where one is free.
    duration wait(const line& l, time_point now) const noexcept {
        const duration ahead = std::max(l.end, now) - now;
        return std::max(ahead - tolerance_, duration{});
    }

    void take(line& l, time_point now) const noexcept {
        if (l.end < now) l = {now};
        l.end = later(l.end, distance_);
        l.rest += rest_;
        if (l.rest < permits_) return;
        l.rest -= permits_;
        l.end = later(l.end, duration(1));
    }

    void give_back(line& l, time_point now) const noexcept {
        if (l.end <= now) return;  // all places are free
        l.end -= std::chrono::duration_cast<time_point::duration>(distance_);
        l.rest -= rest_;
        if (l.rest >= 0) return;
        l.rest += permits_;
        l.end -= time_point::duration(1);
    }

private:
    double permits_;
    double rest_;
    duration distance_;
    duration tolerance_;
};

}  // namespace detail

/// Lets `permits` attempts start in each `per`, first ones and retries alike, and `burst` at once after a rest: the
/// others wait for their place, in the order in which they asked, or are refused. Shared by ranges on any threads. A
/// retry asks when the attempt before it is decided: where it then waits for longer than its place, as of a
/// Retry-After, it starts later, and maybe together with others.
///
/// An attempt that is never made gives its permit back: who asks after that is one place nearer, and those who wait
/// already keep theirs. So two may start together then, but never more in all than the rate allows.
class rate_limiter final : public guard {
public:
    explicit rate_limiter(const rate_limiter_options& o, scope s = scope::origin)
        : rate_(o.permits, o.per, o.burst), longest_(longest_wait(o)), refusal_(refusal(o)), lines_(s, {}) {}

    admission admit(const request& q, int, time_point now) override {
        if (rate_.unlimited()) return admission::go;
        const duration wait = place(q, now);
        if (wait <= longest_) return admission::wait(wait);
        return admission::refuse(refusal_ + r2::to_string(wait));
    }

    void cancel(const request& q, time_point now) override {
        const std::lock_guard lock(mutex_);
        rate_.give_back(lines_.of(q), now);
    }

private:
    static duration longest_wait(const rate_limiter_options& o) noexcept {
        if (o.over == over_rate::refuse) return {};
        return o.max_wait > duration{} ? o.max_wait : duration::max();
    }

    static std::string refusal(const rate_limiter_options& o) {
        char permits[32];
        const auto [end, failure] =
            std::to_chars(std::begin(permits), std::end(permits), o.permits, std::chars_format::general, 15);
        return "rate limit of " + std::string(permits, end) + " in " + r2::to_string(o.per) + ": a place is free in ";
    }

    /// Takes the next place, unless it is too far off.
    duration place(const request& q, time_point now) {
        const std::lock_guard lock(mutex_);
        auto& line = lines_.of(q);
        const duration wait = rate_.wait(line, now);
        if (wait <= longest_) rate_.take(line, now);
        return wait;
    }

    const detail::cell_rate rate_;
    const duration longest_;
    const std::string refusal_;
    std::mutex mutex_;
    detail::by_origin<detail::cell_rate::line> lines_;
};

}  // namespace r2::inline v0_2
