#pragma once

/// The compiled mode: define R2_COMPILED everywhere, and include this in exactly one file of the program. The CMake
/// target r2::compiled does both.

#include "r2/config.hpp"  // stops an older language with one error

#if __cplusplus >= 202002L

#ifndef R2_COMPILED
#error "<r2/src.hpp> is for the compiled mode: define R2_COMPILED in every file that includes r2"
#endif

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
#include "r2/testing/answer.ipp"
#include "r2/testing/bound_port.ipp"
#include "r2/testing/composition.ipp"
#include "r2/testing/descriptor.ipp"
#include "r2/testing/fake_client.ipp"
#include "r2/testing/ports.ipp"
#include "r2/testing/server.ipp"
#include "r2/verbs.ipp"

#endif
