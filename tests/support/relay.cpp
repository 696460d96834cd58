#include "relay.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace r2::testkit {

void relay::lead_to(std::uint16_t port) {
    port_ = port;
    ++turn_;
}

void relay::serve(testing::detail::channel& peer) {
    const std::size_t turn = turn_;
    std::array<char, 16384> buffer;
    if (port_ == alert) {
        constexpr std::string_view handshake_failure("\x15\x03\x03\x00\x02\x02\x28", 7);  // RFC 8446, 6
        if (peer.read(buffer.data(), buffer.size()) > 0) peer.write(handshake_failure.data(), handshake_failure.size());
        return peer.close_orderly(true);
    }

    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) testing::detail::throw_errno("socket");
    testing::detail::channel server(fd, peer.stop_descriptor());
    const auto address = testing::detail::loopback(port_);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    for (;;) {
        std::array<pollfd, 3> polled{pollfd{peer.descriptor(), POLLIN, 0}, pollfd{fd, POLLIN, 0},
                                     pollfd{peer.stop_descriptor(), POLLIN, 0}};
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
        if (polled[2].revents != 0) return;
        const bool from_client = polled[0].revents != 0;
        if (!from_client && polled[1].revents == 0) continue;
        const std::size_t got = (from_client ? peer : server).read(buffer.data(), buffer.size());
        if (got == 0) return;
        if (from_client && turn != turn_) {
            ++ended_;
            return peer.close_orderly(true);
        }
        if (!(from_client ? server : peer).write(buffer.data(), got)) return;
    }
}

}  // namespace r2::testkit
