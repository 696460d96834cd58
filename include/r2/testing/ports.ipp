#pragma once

#include <poll.h>

#include <stdexcept>
#include <utility>

#include "r2/testing/ports.hpp"
#include "r2/testing/sockets.hpp"

namespace r2::inline v0_2::testing {

R2_INLINE full_backlog::full_backlog() {
    const sockaddr_in address = detail::loopback(port());
    if (::listen(socket(), 0) != 0) detail::throw_errno("listen");
    // Connections enter the backlog until the kernel leaves the SYN of one unanswered. That one is closed again.
    for (int attempt = 0; attempt < 16; ++attempt) {
        detail::descriptor client = detail::new_socket();
        ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
        pollfd polled{client.get(), POLLOUT, 0};
        if (::poll(&polled, 1, 100) == 0) return;
        queued_.push_back(std::move(client));
    }
    throw std::runtime_error("the backlog does not fill up");
}

}  // namespace r2::inline v0_2::testing
