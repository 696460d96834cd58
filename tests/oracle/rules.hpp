#pragma once

#include <algorithm>
#include <optional>

#include <r2/machine/decision.hpp>
#include <r2/policy/retry_after.hpp>

namespace r2::oracle {

/// The rules of the loop as they are written, one after the other: made to be compared with, not to be short. `x`
/// answers the questions of the rules, and is asked in their order and no further than they get.
template <class Attempt> constexpr decision rules_as_written(Attempt& x) {
    // 1
    if (x.cut_by_stop()) return {ended::stopped};
    // 2
    const std::optional<bool> terminate = x.terminate_if();
    if (terminate.has_value() && *terminate) return {ended::condition_met};
    // 3
    if (!x.failed() && !terminate.has_value()) return {ended::succeeded};
    // 4
    if (x.failed() && !x.retry_if()) return {ended::not_retryable};
    // 5
    if (x.failed_after_it_was_sent() && x.replays_only_when_safe() && !x.idempotent()) return {ended::unsafe_to_replay};
    // 6
    if (x.is_number_max_attempts()) return {ended::exhausted};
    // 7
    if (x.stop_requested()) return {ended::stopped};
    // 8
    decision d;
    const retry_after_policy policy = x.retry_after_policy();
    const std::optional<duration> asked = policy.honour ? x.retry_after() : std::nullopt;
    const duration most = policy.max > duration{} ? policy.max : duration(std::chrono::hours(6));
    if (asked) {
        if (*asked > most && policy.over == over_max::stop) return {ended::retry_after_too_long};
        d.wait = policy.over == over_max::wait ? *asked : std::min(*asked, most);
        d.wait_from = wait_source::retry_after;
    } else if (x.interval() > duration{}) {
        d.wait = x.interval();
        d.wait_from = wait_source::interval;
    } else {
        d.wait = x.backoff();
        d.wait_from = wait_source::backoff;
    }
    // 9
    if (x.deadline_is_within(d.wait)) return {ended::deadline};
    const std::optional<duration> guards = x.guards();
    if (!guards) return {ended::refused};
    if (*guards > d.wait) {
        d.wait = *guards;
        d.wait_from = wait_source::guard;
    }
    if (x.deadline_is_within(d.wait)) return {ended::deadline};
    // 10
    return d;
}

}  // namespace r2::oracle
