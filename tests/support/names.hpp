#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace r2::testkit {

/// While one lives, looking up a name under "hangs.test" takes until the end of it, and then fails. A program that uses
/// this has a getaddrinfo of its own, which libcurl calls instead of the C library's; other names go on to that.
class hung_names {
public:
    hung_names();
    /// Waits until the last look-up has failed.
    ~hung_names();
    hung_names(const hung_names&) = delete;
    hung_names& operator=(const hung_names&) = delete;

    std::string url() const { return "http://api.hangs.test/"; }
    /// Begun so far.
    bool wait_for_lookups(std::size_t count, std::chrono::milliseconds timeout) const;
};

}  // namespace r2::testkit
