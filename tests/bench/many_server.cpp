/// Responds to each request after a delay, on any number of keep-alive connections: one thread, one epoll. Polls them
/// once a millisecond, as a wake-up for each request would cost the client more CPU time than libcurl does.
/// usage: many_server DELAY_IN_MS        prints its port
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::string_view response =
    "HTTP/1.1 200 OK\r\n"
    "Server: many\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 60\r\n"
    "Cache-Control: private, max-age=0, must-revalidate\r\n"
    "ETag: \"5d8c72a5edda8d6a\"\r\n"
    "\r\n"
    R"({"id":42,"name":"widget","state":"running","progress":0.75 })";
static_assert(response.size() - response.find("\r\n\r\n") - 4 == 60);

struct due_response {
    clock_type::time_point at;
    int fd;
    std::uint32_t connection;
};

class server {
public:
    explicit server(std::chrono::milliseconds delay) : delay_(delay) {
        sockaddr_in where = {};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof where;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&where), size) != 0 || ::listen(listener_, 20000) != 0)
            std::exit(2);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
        std::cout << ntohs(where.sin_port) << std::endl;
        watch(listener_);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 512> events = {};
        for (;;) {
            if (!due_.empty() && std::exchange(rests_, true)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            const int count = ::epoll_wait(all_, events.data(), static_cast<int>(events.size()), due_.empty() ? -1 : 0);
            rests_ = count < static_cast<int>(events.size());
            const auto now = clock_type::now();
            for (int i = 0; i < count; ++i) {
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                if (fd == listener_)
                    accept_all();
                else
                    read(fd, now);
            }
            for (; !due_.empty() && due_.front().at <= now; due_.pop_front()) {
                const due_response& next = due_.front();
                if (connections_[static_cast<std::size_t>(next.fd)] == next.connection)
                    (void)!::send(next.fd, response.data(), response.size(), MSG_NOSIGNAL);
            }
        }
    }

private:
    void watch(int fd) {
        epoll_event e = {};
        e.events = EPOLLIN;
        e.data.fd = fd;
        if (::epoll_ctl(all_, EPOLL_CTL_ADD, fd, &e) != 0) std::exit(2);
    }

    void accept_all() {
        for (int fd = 0; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
            const int yes = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            if (connections_.size() <= static_cast<std::size_t>(fd))
                connections_.resize(2 * static_cast<std::size_t>(fd));
            connections_[static_cast<std::size_t>(fd)] = ++accepted_;
            watch(fd);
        }
    }

    // A request is small, comes over loopback and only after the last response: one recv() gets all of it.
    void read(int fd, clock_type::time_point now) {
        std::array<char, 4096> bytes = {};
        const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (got > 0) {
            due_.push_back({now + delay_, fd, connections_[static_cast<std::size_t>(fd)]});
            return;
        }
        connections_[static_cast<std::size_t>(fd)] = 0;
        ::close(fd);
    }

    const std::chrono::milliseconds delay_;
    const int all_ = ::epoll_create1(EPOLL_CLOEXEC);
    const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    std::vector<std::uint32_t> connections_ = std::vector<std::uint32_t>(1024);  // by descriptor
    std::uint32_t accepted_ = 0;
    std::deque<due_response> due_;
    bool rests_ = true;  // no other connection is ready
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: many_server DELAY_IN_MS\n";
        return 2;
    }
    server(std::chrono::milliseconds(std::atoi(argv[1]))).run();
}
