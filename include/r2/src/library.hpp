#pragma once

/// The definitions of `<r2/r2.hpp>` in compiled mode. `<r2/src.hpp>` includes this.

#include "r2/client.ipp"
#include "r2/curl/check_url.ipp"
#include "r2/journal.ipp"
#include "r2/machine/decide.ipp"
#include "r2/machine/plan.ipp"
#include "r2/policy/adaptive_limiter.ipp"
#include "r2/policy/by_origin.ipp"
#include "r2/policy/circuit_breaker.ipp"
#include "r2/policy/rate_limiter.ipp"
#include "r2/policy/retry_budget.ipp"
#include "r2/policy/server_timing.ipp"
#include "r2/shutdown.ipp"
#include "r2/verbs.ipp"
