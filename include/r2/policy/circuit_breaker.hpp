#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/config.hpp"
#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"
#include "r2/policy/predicate.hpp"

namespace r2::inline v0_2 {

/// The state of a `circuit_breaker`.
enum class circuit {
    closed,     ///< All attempts may start.
    open,       ///< No attempt may start.
    half_open,  ///< One attempt at a time may start, as a probe.
};

constexpr std::string_view to_string(circuit c) noexcept {
    switch (c) {
        case circuit::closed:
            return "closed";
        case circuit::open:
            return "open";
        case circuit::half_open:
            return "half_open";
    }
    return "unknown";
}

/// Settings of a `circuit_breaker`. A value out of its range means the default. The callables must be thread-safe; they
/// live as long as the breaker.
struct circuit_breaker_options {
    double failure_rate = 0.5;        ///< The breaker opens at this share of failures; in (0, 1].
    int window = 100;                 ///< The number of latest attempts that count.
    duration sampling_duration = {};  ///< Counts the attempts of this time instead, in ten slots. Not set: `window`.
    int minimum_throughput = 10;      ///< Opens only after so many attempts; at most `window`, if that is used.
    duration open_for = std::chrono::seconds(30);  ///< From opening to the first probe.
    predicate failure = {};                        ///< Not set: `transient`.

    /// Called after each change, in order, one call at a time, on the thread of a range. An exception reaches that
    /// range's loop. May call `circuit_breaker::state`.
    std::function<void(circuit from, circuit to)> on_change = {};
};

/// Refuses attempts to a server that fails, except for a probe now and then. An attempt for which `failure` is true is
/// a failure; any other response is a success. Other errors count as neither. So do the errors of this machine
/// (stopped, refused, local, invalid_request, body_unreadable), whatever `failure` returns. Another probe replaces one
/// that counts as neither, or takes longer than `open_for`. Thread-safe.
class circuit_breaker final : public guard {
public:
    explicit circuit_breaker(circuit_breaker_options o = {}, scope s = scope::origin);

    /// Returns the state for the origin of this URL; with `scope::global`, for all. Stays `open` after `open_for`,
    /// until an attempt starts as the probe.
    circuit state(std::string_view url = {});

    // R2_INLINE here too: see config.hpp.
    R2_INLINE admission admit(const request& q, int number, time_point now) override;
    R2_INLINE void record_of(const request& q, const attempt& a, time_point now) override;
    R2_INLINE void cancel(const request& q, time_point now) override;

private:
    enum class judgement { success, failure, neither };

    struct tally {
        int attempts = 0;
        int failures = 0;
    };

    /// Counts attempts in a ring of slots: one for each attempt, or for each tenth of the sampling duration.
    struct breaker {
        circuit state = circuit::closed;
        time_point since = time_point::min();
        const request* probe = nullptr;  // identifies the attempt: it is settled once, with the same object
        tally total = {};
        std::vector<tally> ring = {};
        std::int64_t tick = 0;
    };

    static circuit_breaker_options checked(circuit_breaker_options o);
    judgement judge(const request& q, const attempt& a, time_point now);
    bool too_many(const tally& t) const noexcept;
    void count(breaker& b, bool failed, time_point now) const;
    void change(breaker& b, circuit to, time_point now);
    void announce(std::unique_lock<std::mutex> lock);

    const circuit_breaker_options options_;
    std::mutex mutex_;
    detail::by_origin<breaker> breakers_;
    std::vector<std::pair<circuit, circuit>> changes_;
    std::atomic<bool> announcing_ = false;
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/policy/circuit_breaker.ipp"
#endif
