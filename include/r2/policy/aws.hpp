#pragma once

#include <chrono>

#include "r2/policy/options.hpp"
#include "r2/policy/predicates.hpp"
#include "r2/policy/retry_budget.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

inline options options::aws() {
    using namespace std::chrono;
    return {
        .max_attempts = 3,
        .retry_if = transient || throttled,
        .backoff = backoff::exponential(milliseconds(50), 2.0, seconds(20)),
        .throttle_backoff = backoff::exponential(seconds(1), 2.0, seconds(20)),
        .guards = {retry_budget::aws()},
    };
}

}  // namespace r2::inline v0_2
