#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "r2/config.hpp"
#include "r2/testing/descriptor.hpp"

namespace r2::inline v0_2::testing::detail {

/// Holds a port of 127.0.0.1 by a socket that is bound to it.
class bound_port {
public:
    /// Throws std::system_error if there is no descriptor or port left.
    bound_port();

    /// Returns the port. It never changes.
    std::uint16_t port() const { return port_; }

    /// Makes a URL of the port. `target` is a path, with or without a query.
    std::string url(std::string_view target = "/") const;

protected:
    int socket() const { return socket_.get(); }

private:
    descriptor socket_;
    std::uint16_t port_ = 0;
};

}  // namespace r2::inline v0_2::testing::detail

#ifndef R2_COMPILED
#include "r2/testing/bound_port.ipp"
#endif
