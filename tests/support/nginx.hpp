#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace r2::testkit {

/// A real nginx on free ports of 127.0.0.1. The same locations on every port:
///   /hello  /gzip  /size/1m  /fields (about twelve response fields)  /echo (request fields as "name: value" lines)
///   /status/NNN (3xx lead to /hello, 429 says "Retry-After: 7")  /loop (redirects to itself)  /to?u=<absolute url>
///   /redirect/NNN/chain/N (N hops of that status to /hello, N from 0 to 12; chain/0 is 200 itself)
///   /downgrade (to http /hello)  /upgrade (to https /downgrade)  /put/<name> (PUT, GET, DELETE of a file)
class nginx {
public:
    /// Throws std::runtime_error, with what nginx complained of, if it does not come up.
    nginx();
    /// Kills it and removes its directory.
    ~nginx();
    nginx(const nginx&) = delete;
    nginx& operator=(const nginx&) = delete;

    /// Started at first use, lives as long as the process.
    static nginx& shared();
    /// Whether the nginx and openssl programs are there.
    static bool available();

    std::string http(std::string_view path) const;
    /// HTTP/2 by ALPN; the certificate is valid for 127.0.0.1 and localhost and signed by ca_file().
    std::string https(std::string_view path) const;
    /// A certificate that ended in 2021.
    std::string expired(std::string_view path) const;
    /// A certificate for example.invalid.
    std::string wrong_host(std::string_view path) const;
    /// Cleartext HTTP/2, for clients that assume it.
    std::string h2c(std::string_view path) const;

    std::uint16_t http_port() const;
    std::uint16_t https_port() const;
    std::string ca_file() const;
    /// The good certificate's own, and its key's.
    std::string certificate_file() const;
    std::string key_file() const;

    struct entry {
        std::string method;
        /// With the query, as requested.
        std::string uri;
        /// "HTTP/1.1" or "HTTP/2.0".
        std::string protocol;
        int status = 0;
        /// Equal for requests that came on one connection.
        std::uint64_t connection = 0;
    };

    /// All requests answered so far whose uri contains the part.
    std::vector<entry> log(std::string_view uri_part) const;
    std::size_t requests_seen(std::string_view uri_part) const;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace r2::testkit
