#pragma once

#include <algorithm>
#include <concepts>
#include <optional>

#include "r2/machine/classification.hpp"
#include "r2/machine/decision.hpp"
#include "r2/policy/options.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// The limits of a range, the same for all its attempts.
struct loop_limits {
    int max_attempts = 0;
    r2::replay replay = r2::replay::always;
    retry_after_policy retry_after = {};
    duration interval = {};
    time_point deadline = detail::never;
};

/// Returns the limits in these options, for a range first pulled at `began`.
inline loop_limits limits_of(const options& o, time_point began) {
    return {o.max_attempts, o.replay, o.retry_after, o.interval,
            o.deadline > duration{} ? detail::later(began, o.deadline) : detail::never};
}

/// The facts about an attempt that the rules use.
struct attempt_facts {
    int number = 1;
    r2::sent sent = r2::sent::no;  ///< `maybe`: it failed, and the server may have acted on it.
    bool idempotent = true;        ///< The request as sent.
    bool stop_requested = false;
};

inline attempt_facts facts_of(const request& q, const attempt& a, bool stop_requested) {
    return {a.number(), a.error().sent(), is_idempotent(q), stop_requested};
}

/// The sources of a wait. The machine calls each at most once, and only if no earlier rule decides.
template <class W>
concept wait_sources = requires(W& w, int retry, duration previous, double u) {
    { w.retry_after() } -> std::same_as<std::optional<duration>>;  // as the server asked, unlimited
    { w.backoff(retry, previous, u) } -> std::same_as<duration>;   // with jitter
    { w.guards() } -> std::same_as<std::optional<duration>>;       // the longest of theirs; nothing: one refuses
};

/// Decides what follows an attempt. Without clock, I/O or chance: the caller passes the time and the random number.
class machine {
public:
    /// `previous` is the last wait of backoff, if the range has begun already.
    constexpr explicit machine(const loop_limits& l, duration previous = {}) noexcept
        : limits_(l), previous_(previous) {}

    const loop_limits& limits() const noexcept { return limits_; }

    /// The rules of the loop in their order; the first that matches wins. `u` in [0, 1) is the chance for jitter.
    constexpr decision decide(const attempt_facts& f, classification c, time_point now, double u,
                              wait_sources auto& waits) {
        // 1 to 4: as classified. Polling (`unmet`) and retryable failures go on.
        if (c == classification::stopped) return {ended::stopped};
        if (c == classification::met) return {ended::condition_met};
        if (c == classification::succeeded) return {ended::succeeded};
        if (c == classification::permanent) return {ended::not_retryable};
        // 5: unsafe to send again
        if (f.sent == sent::maybe && !f.idempotent && limits_.replay == replay::when_safe)
            return {ended::unsafe_to_replay};
        // 6: the last attempt
        if (limits_.max_attempts > 0 && f.number >= limits_.max_attempts) return {ended::exhausted};
        // 7: stopped in its grace
        if (f.stop_requested) return {ended::stopped};
        // 8: the wait
        decision next = server_or_own_wait(f.number - 1, u, waits);
        if (next.ended != ended::not_yet) return next;
        // 9: the deadline, then the guards, and the deadline again
        if (reaches_deadline(now, next.wait)) return {ended::deadline};
        const std::optional<duration> asked = waits.guards();
        if (!asked) return {ended::refused};
        if (*asked > next.wait) next = {ended::not_yet, *asked, wait_source::guard};
        if (reaches_deadline(now, next.wait)) return {ended::deadline};
        // 10: yield, wait, next attempt
        return next;
    }

    constexpr bool reaches_deadline(time_point now, duration wait) const noexcept {
        return limits_.deadline != never && later(now, wait) >= limits_.deadline;
    }

private:
    /// Rule 8: the server's wait, else the interval, else backoff.
    constexpr decision server_or_own_wait(int retry, double u, wait_sources auto& waits) {
        const retry_after_policy& policy = limits_.retry_after;
        if (const auto asked = policy.honour ? waits.retry_after() : std::nullopt) {
            const duration max = policy.max > duration{} ? policy.max : retry_after_policy{}.max;
            if (*asked > max && policy.over == over_max::stop) return {ended::retry_after_too_long};
            const duration wait = policy.over == over_max::clamp ? std::min(*asked, max) : *asked;
            return {ended::not_yet, wait, wait_source::retry_after};
        }
        if (limits_.interval > duration{}) return {ended::not_yet, limits_.interval, wait_source::interval};
        previous_ = waits.backoff(retry, previous_, u);
        return {ended::not_yet, previous_, wait_source::backoff};
    }

    loop_limits limits_;
    duration previous_;  // the last wait of backoff, for `jitter::decorrelated`
};

}  // namespace r2::inline v0_2::detail
