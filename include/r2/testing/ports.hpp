#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/testing/sockets.hpp"

namespace r2::testing {

/// Holds a port of 127.0.0.1 that refuses connections, and that nobody else can take meanwhile.
class refusing_port {
public:
    /// Returns the port, which stays the same.
    std::uint16_t port() const { return port_; }

    /// Makes a URL of it: `target` is a path, with or without a query.
    std::string url(std::string_view target = "/") const { return detail::url_of(port_, target); }

private:
    std::uint16_t port_ = 0;  // before the socket, whose binding sets it
    detail::descriptor socket_ = detail::bound_socket(port_);
};

/// Holds a port of 127.0.0.1 whose queue is full: connecting to it neither succeeds nor fails.
class full_backlog {
public:
    /// Blocks for 0.1 s. Throws std::runtime_error where the queue doesn't fill up.
    full_backlog() {
        const sockaddr_in address = detail::loopback(port_);
        if (::listen(socket_.get(), 0) != 0) detail::throw_errno("listen");
        // Connections enter the queue until one is left without an answer to its SYN; that one is given up again.
        for (int attempt = 0; attempt < 16; ++attempt) {
            detail::descriptor client = detail::new_socket();
            ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
            pollfd polled{client.get(), POLLOUT, 0};
            if (::poll(&polled, 1, 100) == 0) return;
            queued_.push_back(std::move(client));
        }
        throw std::runtime_error("the backlog does not fill up");
    }

    /// Returns the port, which stays the same.
    std::uint16_t port() const { return port_; }

    /// Makes a URL of it: `target` is a path, with or without a query.
    std::string url(std::string_view target = "/") const { return detail::url_of(port_, target); }

private:
    std::uint16_t port_ = 0;  // before the socket, whose binding sets it
    detail::descriptor socket_ = detail::bound_socket(port_);
    std::vector<detail::descriptor> queued_;
};

}  // namespace r2::testing
