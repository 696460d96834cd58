#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "r2/testing/sockets.hpp"

namespace r2::inline v0_2::testing {

/// Holds a port of 127.0.0.1 that refuses connections, and that nobody else can take meanwhile.
class refusing_port : public detail::bound_port {};

/// Holds a port of 127.0.0.1 whose queue is full: connecting to it neither succeeds nor fails.
class full_backlog : public detail::bound_port {
public:
    /// Blocks for 0.1 s. Throws std::runtime_error where the queue doesn't fill up.
    full_backlog() {
        const sockaddr_in address = detail::loopback(port());
        if (::listen(socket(), 0) != 0) detail::throw_errno("listen");
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

private:
    std::vector<detail::descriptor> queued_;
};

}  // namespace r2::inline v0_2::testing
