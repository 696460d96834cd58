#pragma once

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <system_error>
#include <thread>
#include <utility>

#include "r2/testing/bound_port.hpp"
#include "r2/testing/channel.hpp"
#include "r2/testing/descriptor.hpp"
#include "r2/testing/monitor.hpp"
#include "r2/testing/sockets.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

/// Accepts connections on a free port of 127.0.0.1, and serves each on a thread of its own. Thread-safe.
class listener : public bound_port {
public:
    /// Begins at once. `serve` gets connections numbered from 1, in the order of acceptance. It runs on several threads
    /// at once and must not throw. In a class whose members `serve` uses, the listener must be the last member.
    explicit listener(std::function<void(channel&, int number)> serve)
        : serve_(std::move(serve)), stop_(::eventfd(0, EFD_CLOEXEC)) {
        if (stop_.get() < 0 || ::listen(socket(), SOMAXCONN) != 0) throw_errno("listen");
        acceptor_ = std::thread([this] { accept_all(); });
    }

    /// Drops all connections, whatever they are doing, and waits for `serve` to return.
    ~listener() {
        const std::uint64_t one = 1;
        // Nothing reads this, so it ends every present and future wait.
        [[maybe_unused]] const auto written = ::write(stop_.get(), &one, sizeof one);
        acceptor_.join();
        for (auto& open : running_) open.runner.join();
    }

    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Refuses new connections from now on. Open connections stay.
    void refuse() {
        if (refusing_.exchange(true)) return;
        ::shutdown(socket(), SHUT_RDWR);
        // The shutdown freed the port: bind it again, so that nobody else takes it.
        const sockaddr_in address = loopback(port());
        if (::bind(socket(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw_errno("bind");
    }

    /// Counts the connections so far.
    std::size_t accepted() const {
        const auto lock = monitor_.lock();
        return accepted_;
    }

    /// Counts the connections for which `serve` runs.
    std::size_t open() const {
        const auto lock = monitor_.lock();
        return open_;
    }

    /// Waits until so many connections were accepted. Returns false on the timeout.
    bool wait_for_connections(std::size_t count, duration timeout) const {
        return monitor_.wait(timeout, [&] { return accepted_ >= count; });
    }

    /// Waits until at most so many connections are open. Returns false on the timeout.
    bool wait_until_open(std::size_t most, duration timeout) const {
        return monitor_.wait(timeout, [&] { return open_ <= most; });
    }

private:
    struct connection {
        std::thread runner;
        std::atomic<bool> done{false};
    };

    void accept_all() {
        while (true) {
            std::array<pollfd, 2> polled{pollfd{refusing_ ? -1 : socket(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
            if (::poll(polled.data(), polled.size(), -1) < 0) continue;
            if (polled[1].revents != 0) return;
            const int fd = ::accept4(socket(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd < 0) {
                // Out of descriptors, the socket stays readable: wait for the stop alone for 10 ms.
                if (errno == EMFILE || errno == ENFILE) ::poll(&polled[1], 1, 10);
                continue;
            }
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            running_.remove_if([](connection& past) {
                const bool done = past.done;
                if (done) past.runner.join();
                return done;
            });
            start(fd);
        }
    }

    void start(int fd) {
        const int number = opened();
        auto& added = running_.emplace_back();
        try {
            added.runner = std::thread([this, &added, fd, number] {
                {
                    channel peer(fd, stop_.get());
                    serve_(peer, number);
                }
                closed();
                added.done = true;
            });
        } catch (const std::system_error&) {  // no thread left: the peer sees an end
            ::close(fd);
            running_.pop_back();
            closed();
        }
    }

    int opened() {
        const auto lock = monitor_.lock();
        ++open_;
        monitor_.notify();
        return static_cast<int>(++accepted_);
    }

    void closed() {
        const auto lock = monitor_.lock();
        --open_;
        monitor_.notify();
    }

    std::function<void(channel&, int)> serve_;
    descriptor stop_;
    std::atomic<bool> refusing_ = false;
    monitor monitor_;  // guards the two counts
    std::size_t accepted_ = 0;
    std::size_t open_ = 0;
    std::list<connection> running_;  // of the acceptor's thread, then of the destructor
    std::thread acceptor_;
};

}  // namespace r2::inline v0_2::testing::detail
