#pragma once

#include "r2/config.hpp"

namespace r2::inline v0_2 {

/// Limits the requests of an `all` that are in flight. A hedged request counts once. Zero or negative: no limit.
struct concurrency {
    int max_in_flight = 256;
    int max_per_host = 32;  ///< To one scheme, host and port.
};

}  // namespace r2::inline v0_2
