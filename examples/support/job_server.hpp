#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace support {

/// What a job_server says to one request.
struct answer {
    int status = 200;
    std::string body = {};
    std::string field = {};                     ///< One more header field, such as "Retry-After: 1".
    std::size_t cut_after = std::string::npos;  ///< So many bytes are sent, then the connection is dropped.
    std::function<bool()> ready = {};           ///< Held back until this is true.
};

/// These answers one after the other; the last one for ever.
inline auto in_order(std::vector<answer> answers) {
    return [answers = std::move(answers), next = std::size_t{0}](const std::string&) mutable {
        return answers[std::min(next++, answers.size() - 1)];
    };
}

/// As much of an HTTP/1.1 server as the examples need: on a free port of 127.0.0.1, a thread for each connection, which
/// is kept alive. `say` is called for one request at a time, with its text, head and body.
class job_server {
public:
    explicit job_server(std::function<answer(const std::string& request)> say) : say_(std::move(say)) {
        sockaddr_in here = {};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* address = reinterpret_cast<sockaddr*>(&here);
        socklen_t size = sizeof here;
        if (::bind(listener_.fd, address, size) != 0 || ::listen(listener_.fd, SOMAXCONN) != 0 ||
            ::getsockname(listener_.fd, address, &size) != 0)
            throw std::system_error(errno, std::generic_category(), "job_server");
        port_ = ntohs(here.sin_port);
        thread_ = std::jthread([this](const std::stop_token& quit) { serve(quit); });
    }

    std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

private:
    struct socket {
        int fd;
        ~socket() { ::close(fd); }
    };

    void serve(const std::stop_token& quit) {
        std::vector<std::jthread> connections;
        while (readable(listener_, quit)) {
            const int fd = ::accept(listener_.fd, nullptr, nullptr);
            connections.emplace_back([this, fd, quit] { converse(socket{fd}, quit); });
        }
    }

    void converse(const socket& client, const std::stop_token& quit) {
        for (bool open = true; open;) {
            const auto request = read_request(client, quit);
            open = request && send(client, reply(*request, quit));
        }
    }

    answer reply(const std::string& request, const std::stop_token& quit) {
        std::unique_lock one_at_a_time(mutex_);
        answer a = say_(request);
        one_at_a_time.unlock();
        while (a.ready && !a.ready() && !quit.stop_requested())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return a;
    }

    /// Looks up often enough for a destructor that nobody waits for.
    static bool readable(const socket& s, const std::stop_token& quit) {
        pollfd waiting = {s.fd, POLLIN, 0};
        while (!quit.stop_requested())
            if (::poll(&waiting, 1, 20) > 0) return true;
        return false;
    }

    static std::optional<std::string> read_request(const socket& client, const std::stop_token& quit) {
        std::string text;
        while (!is_whole(text)) {
            char some[4096];
            const auto got = readable(client, quit) ? ::recv(client.fd, some, sizeof some, 0) : 0;
            if (got <= 0) return std::nullopt;
            text.append(some, static_cast<std::size_t>(got));
        }
        return text;
    }

    static bool is_whole(const std::string& text) {
        const std::size_t head = text.find("\r\n\r\n"), length = text.find("\r\nContent-Length: ");
        if (head == std::string::npos) return false;
        return length > head || text.size() - head - 4 >= std::stoul(text.substr(length + 18));
    }

    /// False where the connection ends with it.
    static bool send(const socket& client, const answer& a) {
        std::string text = "HTTP/1.1 " + std::to_string(a.status) + " \r\n" + a.field +
                           (a.field.empty() ? "" : "\r\n") + "Content-Length: " + std::to_string(a.body.size()) +
                           "\r\n\r\n" + a.body;
        text.resize(std::min(text.size(), a.cut_after));
        ::send(client.fd, text.data(), text.size(), MSG_NOSIGNAL);
        return a.cut_after == std::string::npos;
    }

    std::mutex mutex_;
    std::function<answer(const std::string&)> say_;
    socket listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port_ = 0;
    std::jthread thread_;  // last, so that it has ended before the rest is gone
};

}  // namespace support
