#pragma once

/// The whole library but the opt-in headers: a `for` loop over the attempts of an HTTP request. How a request goes
/// through these files: README.md in this folder.

#include "r2/config.hpp"  // stops an older language with one error

#if __cplusplus >= 202002L

#include "r2/client.hpp"
#include "r2/journal.hpp"
#include "r2/machine/decide.hpp"
#include "r2/machine/plan.hpp"
#include "r2/policy/adaptive_limiter.hpp"
#include "r2/policy/aws.hpp"
#include "r2/policy/circuit_breaker.hpp"
#include "r2/policy/predicates.hpp"
#include "r2/policy/rate_limiter.hpp"
#include "r2/policy/retry_budget.hpp"
#include "r2/shutdown.hpp"
#include "r2/verbs.hpp"
#include "r2/words/random.hpp"

#endif
