#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "r2/testing/listener.hpp"

namespace r2::testkit {

/// Stands between a client and servers that it need not understand, TLS or not: the next connection may lead elsewhere.
class relay {
public:
    /// In place of a port: a TLS alert for whoever says something.
    static constexpr std::uint16_t alert = 0;

    /// To a port of 127.0.0.1.
    explicit relay(std::uint16_t port) : port_(port) {}

    std::uint16_t port() const { return connections_.port(); }

    /// What comes next on a connection that is open ends it, unseen by the server; new ones lead to that port.
    void lead_to(std::uint16_t port);

    /// Connections that were ended by what came on them.
    std::size_t ended() const { return ended_; }

private:
    void serve(testing::detail::channel& peer);

    std::atomic<std::uint16_t> port_;
    std::atomic<std::size_t> turn_ = 0;
    std::atomic<std::size_t> ended_ = 0;
    testing::detail::listener connections_{[this](auto& peer, int) { serve(peer); }};  // last: it uses the rest
};

}  // namespace r2::testkit
