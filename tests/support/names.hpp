#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace r2::testkit {

/// Hangs look-ups of names under "hangs.test" until it is destroyed; then they fail. A program that uses this has a
/// getaddrinfo of its own, which libcurl calls. It passes other names to the C library.
class hung_names {
public:
    hung_names();
    /// Waits until the last look-up has failed.
    ~hung_names();
    hung_names(const hung_names&) = delete;
    hung_names& operator=(const hung_names&) = delete;

    std::string url() const { return "http://api.hangs.test/"; }
    /// Waits until so many look-ups have begun. Returns false on the timeout.
    bool wait_for_lookups(std::size_t count, std::chrono::milliseconds timeout) const;
};

}  // namespace r2::testkit
