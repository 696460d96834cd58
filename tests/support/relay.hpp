#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "r2/testing/listener.hpp"

namespace r2::testkit {

/// Forwards bytes between a client and a server, TLS or not. Each connection may lead to another server.
class relay {
public:
    /// In place of a port: answers the first bytes with a TLS alert.
    static constexpr std::uint16_t alert = 0;

    /// Leads to a port of 127.0.0.1.
    explicit relay(std::uint16_t port) : port_(port) {}

    std::uint16_t port() const { return connections_.port(); }

    /// Leads new connections to this port. The next bytes of the client on an open connection end it, and the server
    /// doesn't get them.
    void lead_to(std::uint16_t port);

    /// Counts the connections that ended so.
    std::size_t ended() const { return ended_; }

private:
    void serve(testing::detail::channel& peer);

    std::atomic<std::uint16_t> port_;
    std::atomic<std::size_t> turn_ = 0;
    std::atomic<std::size_t> ended_ = 0;
    testing::detail::listener connections_{[this](auto& peer, int) { serve(peer); }};  // last: it uses the rest
};

}  // namespace r2::testkit
