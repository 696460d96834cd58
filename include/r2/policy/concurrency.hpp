#pragma once

#include "r2/config.hpp"

namespace r2::inline v0_2 {

/// How many requests of an `all` may be in flight at once, a hedged one counting once. Zero or negative: no limit.
struct concurrency {
    int max_in_flight = 256;
    int max_per_host = 32;  ///< To one scheme, host and port.
};

}  // namespace r2::inline v0_2
