#pragma once

#include <vector>

#include "r2/testing/bound_port.hpp"

namespace r2::inline v0_2::testing {

/// Holds a port of 127.0.0.1 that refuses connections. Nobody else can take the port meanwhile.
class refusing_port : public detail::bound_port {};

/// Holds a port of 127.0.0.1 with a full backlog: connecting to it neither succeeds nor fails.
class full_backlog : public detail::bound_port {
public:
    /// Blocks for 0.1 s. Throws std::runtime_error if the backlog does not fill up.
    full_backlog();

private:
    std::vector<detail::descriptor> queued_;
};

}  // namespace r2::inline v0_2::testing

#ifndef R2_COMPILED
#include "r2/testing/ports.ipp"
#endif
