#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "r2/machine/machine.hpp"
#include "r2/words/outcome.hpp"

namespace r2::inline v0_2 {

/// Where in its range an attempt is, when it is decided what follows it.
struct moment {
    int number = 1;                          ///< Of the attempt, from 1.
    duration elapsed = {};                   ///< Since the first pull; what `deadline` is compared to.
    double chance = 0.5;                     ///< In [0, 1): what jitter gets.
    duration previous_wait = {};             ///< The last one of backoff, for `jitter::decorrelated`.
    bool stop_requested = false;             ///< A stop came, and the attempt could finish in its grace.
    std::string method = "GET";              ///< Of the request, for `replay::when_safe`.
    std::optional<wall_time> wall_now = {};  ///< What a date in Retry-After is compared to. Not set: the clock.
};

/// What follows an attempt with this outcome, by these options: the rules of the loop, without a loop.
///
///     EXPECT_EQ(r2::decide(policy, 404).ended, r2::ended::not_retryable);
///     EXPECT_EQ(r2::decide(policy, 503, {.number = 5}).ended, r2::ended::exhausted);
///     EXPECT_EQ(r2::decide(policy, 503).wait, 1s);
///
/// Asks the predicates and a custom backoff, whose exceptions come out of it; calls no hooks, and asks no guards.
/// `errc::stopped` stands for an attempt that the stop cut short.
inline verdict decide(const options& o, const outcome& what, const moment& at = {}) {
    const attempt& a = what.attempt();
    if (a.number() != at.number) return decide(o, what.numbered(at.number), at);  // predicates may ask for it
    request q{.method = at.method};
    detail::put_over(q, o);
    facts f = facts_of(q, a);
    f.cut_by_stop = a.error() == errc::stopped;
    f.stop_requested = at.stop_requested;
    answers_of answers(o, a, [&at] { return at.wall_now.value_or(std::chrono::system_clock::now()); });
    constexpr time_point began{};
    return machine(rules_of(o, began), at.previous_wait)
        .decide(f, detail::later(began, at.elapsed), at.chance, answers);
}

}  // namespace r2::inline v0_2
