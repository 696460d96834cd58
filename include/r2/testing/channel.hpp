#pragma once

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

/// One accepted connection. A call that blocks ends at once when the `listener` is destroyed. For one thread.
class channel {
public:
    /// Owns `fd`, a non-blocking socket. Waits end when `stop` is readable.
    channel(int fd, int stop) : fd_(fd), stop_(stop) {}
    ~channel() { close(); }
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// Reads some bytes, and waits for the first of them. Returns 0 at the end, on an error and on the stop.
    std::size_t read(char* to, std::size_t size) {
        while (wait(POLLIN)) {
            const auto got = ::recv(fd_, to, size, 0);
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EAGAIN && errno != EINTR) return 0;
        }
        return 0;
    }

    /// Writes all bytes. Returns false on an error and on the stop.
    bool write(const char* from, std::size_t size) {
        while (size > 0) {
            const auto sent = ::send(fd_, from, size, MSG_NOSIGNAL);
            if (sent >= 0) {
                from += sent;
                size -= static_cast<std::size_t>(sent);
            } else if (errno == EAGAIN) {
                if (!wait(POLLOUT)) return false;
            } else if (errno != EINTR) {
                return false;
            }
        }
        return true;
    }

    /// Waits. Returns false if the peer left meanwhile, and on the stop.
    bool pause(duration time) {
        const time_point until = r2::detail::later(std::chrono::steady_clock::now(), time);
        // POLLRDHUP alone: bytes that arrive meanwhile must not end the silence.
        return !wait(POLLRDHUP, until) && std::chrono::steady_clock::now() >= until;
    }

    /// Waits until the peer has closed its side, or for the stop.
    void wait_until_left() { wait(POLLRDHUP); }

    /// Waits for one of poll's `events`, a hangup or an error. Returns false at `until` and on the stop.
    bool wait(short events, time_point until = r2::detail::never) {
        while (true) {
            int timeout = -1;
            if (until != r2::detail::never) {
                const auto left = until - std::chrono::steady_clock::now();
                const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
                timeout = static_cast<int>(std::clamp<std::int64_t>(ms, 0, 1'000'000));
            }
            std::array<pollfd, 2> polled{pollfd{fd_, events, 0}, pollfd{stop_, POLLIN, 0}};
            const int ready = ::poll(polled.data(), polled.size(), timeout);
            if (ready < 0 && errno != EINTR) return false;
            if (ready > 0) return polled[1].revents == 0;
            if (ready == 0 && std::chrono::steady_clock::now() >= until) return false;
        }
    }

    /// Returns true if the listener is being destroyed.
    bool stopped() const {
        pollfd polled{stop_, POLLIN, 0};
        return ::poll(&polled, 1, 0) != 0;
    }

    /// Sends FIN.
    void end_writing() { ::shutdown(fd_, SHUT_WR); }

    /// Closes with FIN. If `more_expected`, first reads for up to 5 s what the peer still sends.
    void close_orderly(bool more_expected) {
        if (fd_ < 0) return;
        // Closing a socket with unread bytes sends a RST, which can overtake the response: so it discards them first.
        int unread = 0;
        if (more_expected || (::ioctl(fd_, FIONREAD, &unread) == 0 && unread > 0)) {
            end_writing();
            const time_point until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
            std::vector<char> scrap(64 * 1024);
            while (wait(POLLIN, until)) {
                const auto got = ::recv(fd_, scrap.data(), scrap.size(), 0);
                if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
            }
        }
        close();
    }

    /// Closes with RST.
    void reset() {
        const linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    /// Closes. The kernel sends RST instead of FIN if there are unread bytes.
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    /// Returns the socket, or -1 after it was closed.
    int descriptor() const { return fd_; }
    /// Returns the descriptor that is readable from the stop on.
    int stop_descriptor() const { return stop_; }

private:
    int fd_;
    int stop_;
};

}  // namespace r2::inline v0_2::testing::detail
