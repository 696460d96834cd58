#include "sockets.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace r2::testkit {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t scrap_size = 64 * 1024;
constexpr milliseconds lingering_limit{5000};

}  // namespace

void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int bound_socket(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) throw_errno("socket");
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // or `refuse` couldn't hold the port
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto* raw_address = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd, raw_address, size) != 0 || ::getsockname(fd, raw_address, &size) != 0) {
        ::close(fd);
        throw_errno("bind");
    }
    port = ntohs(address.sin_port);
    return fd;
}

std::string url_of(std::uint16_t port, std::string_view target) {
    return "http://127.0.0.1:" + std::to_string(port) + std::string(target);
}

std::size_t channel::read(char* to, std::size_t size) {
    while (wait(POLLIN, std::nullopt)) {
        const auto got = ::recv(fd_, to, size, 0);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EAGAIN && errno != EINTR) return 0;
    }
    return 0;
}

bool channel::write(const char* from, std::size_t size) {
    while (size > 0) {
        const auto sent = ::send(fd_, from, size, MSG_NOSIGNAL);
        if (sent >= 0) {
            from += sent;
            size -= static_cast<std::size_t>(sent);
        } else if (errno == EAGAIN) {
            if (!wait(POLLOUT, std::nullopt)) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool channel::pause(milliseconds time) {
    const auto until = clock::now() + time;
    // POLLRDHUP alone: bytes that arrive meanwhile stay unread and must not end the silence.
    return !wait(POLLRDHUP, until) && clock::now() >= until;
}

bool channel::stopped() const {
    pollfd polled{stop_, POLLIN, 0};
    return ::poll(&polled, 1, 0) != 0;
}

void channel::close_orderly(bool more_expected) {
    int unread = 0;
    if (fd_ < 0) return;
    if (more_expected || (::ioctl(fd_, FIONREAD, &unread) == 0 && unread > 0)) {
        ::shutdown(fd_, SHUT_WR);
        const auto until = clock::now() + lingering_limit;
        std::vector<char> scrap(scrap_size);
        while (wait(POLLIN, until)) {
            const auto got = ::recv(fd_, scrap.data(), scrap.size(), 0);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) break;
        }
    }
    close();
}

void channel::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

void channel::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

bool channel::wait(short events, std::optional<clock::time_point> until) {
    while (true) {
        int timeout = -1;
        if (until) {
            const auto left = std::chrono::ceil<milliseconds>(*until - clock::now()).count();
            timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
        }
        std::array<pollfd, 2> polled{pollfd{fd_, events, 0}, pollfd{stop_, POLLIN, 0}};
        const int ready = ::poll(polled.data(), polled.size(), timeout);
        if (ready < 0 && errno != EINTR) return false;
        if (ready > 0) return polled[1].revents == 0;
        if (ready == 0 && clock::now() >= *until) return false;
    }
}

void channel::wait_until_left() { wait(POLLRDHUP, std::nullopt); }

void channel::end_writing() { ::shutdown(fd_, SHUT_WR); }

listener::listener(std::function<void(channel&, int)> serve) : serve_(std::move(serve)) {
    listener_ = bound_socket(port_);
    stop_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_ < 0 || ::listen(listener_, SOMAXCONN) != 0) throw_errno("listen");
    acceptor_ = std::thread([this] { accept_all(); });
}

listener::~listener() {
    const std::uint64_t one = 1;
    // Nobody reads it back, so the descriptor wakes every present and future wait.
    [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
    acceptor_.join();
    for (auto& open : running_) open.runner.join();
    ::close(listener_);
    ::close(stop_);
}

void listener::refuse() {
    refusing_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    // It has let go of the port, which nobody else shall have.
    const auto address = loopback(port_);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw_errno("bind");
}

void listener::accept_all() {
    while (true) {
        std::array<pollfd, 2> polled{pollfd{refusing_ ? -1 : listener_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[1].revents != 0) return;
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            // Out of descriptors: the listener stays readable, so wait on the stop alone for a moment.
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

void listener::start(int fd) {
    int number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = static_cast<int>(++accepted_);
        ++open_;
        changed_.notify_all();
    }
    auto& added = running_.emplace_back();
    added.runner = std::thread([this, &added, fd, number] {
        {
            channel with(fd, stop_);
            serve_(with, number);
        }
        {
            const std::lock_guard lock(mutex_);
            --open_;
            changed_.notify_all();
        }
        added.done = true;
    });
}

std::size_t listener::accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
}

std::size_t listener::open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

bool listener::wait_for_connections(std::size_t count, milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return accepted_ >= count; });
}

bool listener::wait_until_all_left(milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return open_ == 0; });
}

}  // namespace r2::testkit
