#pragma once

#include "r2/testing/bound_port.hpp"
#include "r2/testing/sockets.hpp"

namespace r2::inline v0_2::testing::detail {

R2_INLINE bound_port::bound_port() : socket_(new_socket()) {
    const int on = 1;
    ::setsockopt(socket(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // lets `listener::refuse` bind it again
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* raw_address = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket(), raw_address, size) != 0 || ::getsockname(socket(), raw_address, &size) != 0)
        throw_errno("bind");
    port_ = ntohs(address.sin_port);
}

R2_INLINE std::string bound_port::url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
}

}  // namespace r2::inline v0_2::testing::detail
