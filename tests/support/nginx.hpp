#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace r2::testkit {

/// An nginx on free ports of 127.0.0.1, with the same locations on every port:
///   /hello  /gzip  /size/1m  /fields (about twelve response fields)  /echo (request fields as "name: value" lines)
///   /status/NNN (3xx lead to /hello, 429 says "Retry-After: 7")  /loop (redirects to itself)  /to?u=<absolute url>
///   /redirect/NNN/chain/N (N hops of that status to /hello, N from 0 to 12; chain/0 is 200 itself)
///   /downgrade (to http /hello)  /upgrade (to https /downgrade)  /put/<name> (PUT, GET, DELETE of a file)
class nginx {
public:
    /// Throws std::runtime_error with nginx's message if it doesn't start.
    nginx();
    /// Kills nginx and removes its directory.
    ~nginx();
    nginx(const nginx&) = delete;
    nginx& operator=(const nginx&) = delete;

    /// Starts at first use, and lives as long as the process.
    static nginx& shared();
    /// Returns true if the programs nginx and openssl exist.
    static bool available();

    std::string http(std::string_view path) const;
    /// HTTP/2 by ALPN. ca_file() signed the certificate, for 127.0.0.1 and localhost.
    std::string https(std::string_view path) const;
    /// With a certificate that expired in 2021.
    std::string expired(std::string_view path) const;
    /// With a certificate for example.invalid.
    std::string wrong_host(std::string_view path) const;
    /// Cleartext HTTP/2 with prior knowledge.
    std::string h2c(std::string_view path) const;

    std::uint16_t http_port() const;
    std::uint16_t https_port() const;
    std::string ca_file() const;
    /// The PEM files of the valid certificate and of its key.
    std::string certificate_file() const;
    std::string key_file() const;

    struct entry {
        std::string method;
        /// With the query, as requested.
        std::string uri;
        /// "HTTP/1.1" or "HTTP/2.0".
        std::string protocol;
        int status = 0;
        /// The same for all requests on one connection.
        std::uint64_t connection = 0;
    };

    /// Returns all requests so far whose response was sent and whose uri contains the part.
    std::vector<entry> log(std::string_view uri_part) const;
    std::size_t requests_seen(std::string_view uri_part) const;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace r2::testkit
