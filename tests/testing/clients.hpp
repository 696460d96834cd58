#pragma once

#include <curl/curl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "r2/testing/sockets.hpp"
#include "r2/words/time.hpp"

namespace r2::testkit {

using clock_type = std::chrono::steady_clock;

/// How long a test waits for an event that is sure to come. Only a hang takes that long.
inline constexpr std::chrono::seconds patience{30};

class stopwatch {
public:
    r2::duration elapsed() const { return clock_type::now() - begin_; }

private:
    clock_type::time_point begin_ = clock_type::now();
};

/// A blocking socket that gives up after 30 seconds.
class socket_client {
public:
    explicit socket_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval limit{30, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        const sockaddr_in address = testing::detail::loopback(port);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) error_ = errno;
    }

    ~socket_client() { leave(); }
    socket_client(const socket_client&) = delete;
    socket_client& operator=(const socket_client&) = delete;

    void leave() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    void say(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                error_ = errno;
                return;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    void get(std::string_view target = "/") { say("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"); }

    /// Reads once. Returns "" at the end and on an error; `error()` distinguishes them.
    std::string piece() {
        std::array<char, 65536> buffer;
        const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        error_ = got < 0 ? errno : 0;
        return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }

    std::string rest() {
        std::string all;
        for (auto part = piece(); !part.empty(); part = piece()) all += part;
        return all;
    }

    std::string until(std::string_view end) {
        std::string all;
        while (!all.ends_with(end)) {
            const auto part = piece();
            if (part.empty()) break;
            all += part;
        }
        return all;
    }

    bool silent_for(std::chrono::milliseconds time) const {
        pollfd polled{fd_, POLLIN, 0};
        return ::poll(&polled, 1, static_cast<int>(time.count())) == 0;
    }

    int error() const { return error_; }
    int descriptor() const { return fd_; }

private:
    int fd_;
    int error_ = 0;
};

inline std::size_t discard(char*, std::size_t size, std::size_t count, void* counted) {
    *static_cast<std::uint64_t*>(counted) += size * count;
    return size * count;
}

struct easy {
    CURL* handle = curl_easy_init();
    std::uint64_t received = 0;

    easy() {
        set(CURLOPT_TIMEOUT_MS, 10'000L);
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROXY, "");
        set(CURLOPT_WRITEFUNCTION, &discard);
        set(CURLOPT_WRITEDATA, &received);
    }

    ~easy() { curl_easy_cleanup(handle); }
    easy(const easy&) = delete;
    easy& operator=(const easy&) = delete;

    template <class value> void set(CURLoption option, value what) { curl_easy_setopt(handle, option, what); }

    CURLcode run(const std::string& url) {
        received = 0;
        set(CURLOPT_URL, url.c_str());
        return curl_easy_perform(handle);
    }

    long status() const {
        long code = 0;
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
        return code;
    }
};

}  // namespace r2::testkit
