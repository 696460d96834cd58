#pragma once

#include <optional>

#include "r2/config.hpp"
#include "r2/policy/http_date.hpp"
#include "r2/words/response.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Returns the wait that a response asks for, by the first of these fields that it has: `Retry-After` (RFC 9110,
/// 10.2.3), `retry-after-ms`, `x-ms-retry-after-ms`, `RateLimit`, `RateLimit-Reset`, `X-RateLimit-Reset`. The last
/// three count only if nothing is left; the last two also in a 429 that doesn't say what is left. A field that is 0 or
/// past asks for no wait. A malformed field is ignored, but a `Retry-After` that is present always decides.
std::optional<duration> server_wait(const response& res, wall_time now);

/// Returns `wait`, or up to 5 s more if `x-amz-retry-after` (milliseconds, of AWS) asks for that.
duration at_least_as_amazon_asks(const response& res, duration wait);

}  // namespace r2::inline v0_2::detail

#ifndef R2_COMPILED
#include "r2/policy/server_timing.ipp"
#endif
