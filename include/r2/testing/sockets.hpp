#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace r2::inline v0_2::testing::detail {

[[noreturn]] inline void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// Owns a file descriptor.
class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }

    int get() const noexcept { return fd_; }

private:
    int fd_;
};

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline descriptor new_socket() {
    descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.get() < 0) throw_errno("socket");
    return made;
}

/// Holds a port of 127.0.0.1 by a socket that is bound to it.
class bound_port {
public:
    bound_port() {
        const int on = 1;
        ::setsockopt(socket(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // or `refuse` couldn't hold the port
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        auto* raw_address = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket(), raw_address, size) != 0 || ::getsockname(socket(), raw_address, &size) != 0)
            throw_errno("bind");
        port_ = ntohs(address.sin_port);
    }

    /// Returns the port, which stays the same.
    std::uint16_t port() const { return port_; }

    /// Makes a URL of it: `target` is a path, with or without a query.
    std::string url(std::string_view target = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
    }

protected:
    int socket() const { return socket_.get(); }

private:
    descriptor socket_ = new_socket();
    std::uint16_t port_ = 0;
};

}  // namespace r2::inline v0_2::testing::detail
