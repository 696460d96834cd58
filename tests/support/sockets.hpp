#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace r2::testkit {

using std::chrono::milliseconds;

[[noreturn]] void throw_errno(const char* what);
sockaddr_in loopback(std::uint16_t port);
/// Bound to a free port of 127.0.0.1, non-blocking.
int bound_socket(std::uint16_t& port);
std::string url_of(std::uint16_t port, std::string_view target);

/// One accepted socket. Every wait ends at once when the server stops, for the stop descriptor then stays readable.
class channel {
public:
    channel(int fd, int stop) : fd_(fd), stop_(stop) {}
    ~channel() { close(); }
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// 0 at the end, on an error and when the server stops.
    std::size_t read(char* to, std::size_t size);
    bool write(const char* from, std::size_t size);
    /// False if the peer left meanwhile or the server stops.
    bool pause(milliseconds time);
    bool stopped() const;
    void wait_until_left();
    /// True if the event, a hangup or an error came; false on the deadline and when the server stops.
    bool wait(short events, std::optional<std::chrono::steady_clock::time_point> until = std::nullopt);
    /// Closing a socket with unread bytes sends a RST that can overtake the answer, so these are discarded first.
    void close_orderly(bool more_expected);
    /// Says that no more will be written.
    void end_writing();
    void reset();
    void close();
    int descriptor() const { return fd_; }
    int stop_descriptor() const { return stop_; }

private:
    int fd_;
    int stop_;
};

/// Accepts connections on a free port of 127.0.0.1, and serves each on a thread of its own. All members may be called
/// while it runs.
class listener {
public:
    /// The number of a connection counts from 1, in the order of acceptance. `serve` runs several times at once.
    explicit listener(std::function<void(channel&, int number)> serve);
    /// Drops all connections, whatever they are doing.
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    std::uint16_t port() const { return port_; }
    /// New connections are refused from now on; those that are open stay.
    void refuse();

    std::size_t accepted() const;
    std::size_t open() const;
    bool wait_for_connections(std::size_t count, milliseconds timeout) const;
    /// True once no connection is open.
    bool wait_until_all_left(milliseconds timeout) const;

private:
    struct connection {
        std::thread runner;
        std::atomic<bool> done{false};
    };

    void accept_all();
    void start(int fd);

    std::function<void(channel&, int)> serve_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    int stop_ = -1;
    std::atomic<bool> refusing_ = false;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::size_t accepted_ = 0;
    std::size_t open_ = 0;
    // Touched by the acceptor, and by the destructor after it.
    std::list<connection> running_;
    std::thread acceptor_;
};

}  // namespace r2::testkit
