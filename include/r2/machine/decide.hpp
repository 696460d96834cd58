#pragma once

#include <optional>
#include <string>

#include "r2/machine/decision.hpp"
#include "r2/policy/http_date.hpp"
#include "r2/policy/options.hpp"
#include "r2/words/outcome.hpp"

namespace r2::inline v0_2 {

/// The place of an attempt in its range, at the decision.
struct moment {
    int number = 1;                          ///< Of the attempt, from 1.
    duration elapsed = {};                   ///< Since the first pull; compared to `deadline`.
    double chance = 0.5;                     ///< In [0, 1), for jitter.
    duration previous_wait = {};             ///< The last wait of backoff, for `jitter::decorrelated`.
    bool stop_requested = false;             ///< A stop came, and the attempt could finish in its grace.
    std::string method = "GET";              ///< Of the request, for `replay::when_safe`.
    std::optional<wall_time> wall_now = {};  ///< Compared to a date in Retry-After. Not set: the clock.
};

/// Decides what follows an attempt with this outcome and these options: the rules of the loop, without a loop.
///
///     EXPECT_EQ(r2::decide(policy, 404).ended, r2::ended::not_retryable);
///     EXPECT_EQ(r2::decide(policy, 503, {.number = 5}).ended, r2::ended::exhausted);
///     EXPECT_EQ(r2::decide(policy, 503).wait, 1s);
///
/// Calls the predicates and a custom backoff; their exceptions come out. Calls no hooks and no guards. `errc::stopped`
/// stands for an attempt that the stop cut.
decision decide(const options& o, const outcome& what, const moment& at = {});

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/machine/decide.ipp"
#endif
