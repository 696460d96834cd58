#pragma once

#include "r2/policy/latency_log.hpp"
#include "r2/policy/options.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

/// The surroundings of an execution, all of which outlive it.
struct execution_context {
    detail::transport& transport;
    latency_log& latencies;
    const r2::request& request;  ///< As before `before_attempt`; guards and the latency log go by it.
    const r2::options& options;
};

}  // namespace r2::inline v0_2::detail
