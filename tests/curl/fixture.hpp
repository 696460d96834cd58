#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "r2/r2.hpp"
#include "r2/testing/ports.hpp"
#include "r2/testing/server.hpp"

namespace r2::testkit {

using namespace std::chrono_literals;
using namespace r2::testing;

/// How long a test waits for an event that must come. Only a hang takes that long.
inline constexpr std::chrono::seconds patience{30};

/// Removes the waits from `o`. Its defaults are one attempt, and a timeout that only a hang reaches.
inline options quick(options o = {}) {
    if (o.max_attempts == 0) o.max_attempts = 1;
    if (o.timeout == duration{}) o.timeout = patience;
    o.backoff = backoff::none();
    return o;
}

/// The status of the response; 0 if there was none.
inline int status_of(const attempt& a) { return a.response() ? a.response()->status : 0; }

/// A new directory. Removes it and its files when destroyed.
class temporary_directory {
public:
    temporary_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "r2-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), name);
        path_ = name;
    }
    temporary_directory(const temporary_directory&) = delete;
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::string operator/(std::string_view name) const { return (path_ / name).string(); }
    std::string path() const { return path_.string(); }

    /// Writes a file, and returns its path.
    std::string file(std::string_view name, std::string_view content) const {
        std::ofstream(path_ / name, std::ios::binary)
            .write(content.data(), static_cast<std::streamsize>(content.size()));
        return *this / name;
    }

private:
    std::filesystem::path path_;
};

/// A text of the bytes 0 to 255, over and over.
inline std::string all_bytes(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 256);
    return text;
}

/// Measures by how much this process's peak of memory grows. 0 under a sanitizer, which takes memory of its own.
class memory_growth {
public:
    memory_growth() {
        std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
        before_ = peak();
    }

    std::size_t bytes() const {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return 0;
#else
        return sanitized ? 0 : peak() - before_;
#endif
    }

private:
#if defined(__has_feature)
    static constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    static constexpr bool sanitized = false;
#endif

    static std::size_t peak() {
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
        return 0;
    }

    std::size_t before_ = 0;
};

/// Unsets, before any test, the variables that would send its requests through a proxy.
inline const bool no_proxies = [] {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
    return true;
}();

}  // namespace r2::testkit
