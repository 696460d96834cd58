#pragma once

#include <functional>
#include <string>
#include <vector>

#include "r2/words/time.hpp"

// As libcurl declares it, so that this header needs none of libcurl's.
#ifdef CURL_STRICTER
typedef struct Curl_easy CURL;
#else
typedef void CURL;
#endif

namespace r2::inline v0_2 {

/// Which versions of HTTP a client speaks (CURLOPT_HTTP_VERSION).
enum class http_version {
    any,      ///< HTTP/2 where TLS negotiates it, else HTTP/1.1.
    http1_1,  ///< Only that.
    http2,    ///< As `any` with https; with http, HTTP/2 from the first byte (prior knowledge).
};

/// What the ranges of one client share. An empty or non-positive field is not set.
struct client_options {
    /// The User-Agent field (CURLOPT_USERAGENT). Not set: "r2/" and the version.
    std::string user_agent = {};

    /// URL of a proxy (CURLOPT_PROXY). Not set: as the environment's `http_proxy`, `https_proxy` and `no_proxy` say.
    std::string proxy = {};

    /// PEM file of the only authorities to trust (CURLOPT_CAINFO); a change to it is seen within a
    /// day (CURLOPT_CA_CACHE_TIMEOUT). Not set: the system's, of
    /// its one file where there is such.
    std::string ca_file = {};

    /// PEM files of this client's own certificate and key (CURLOPT_SSLCERT, CURLOPT_SSLKEY). Not set: none.
    std::string client_cert = {};
    std::string client_key = {};

    /// False takes any certificate, and so protects from nothing (CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST).
    bool verify_tls = true;

    r2::http_version http_version = r2::http_version::any;

    /// From name look-up to the end of the TLS handshake (CURLOPT_CONNECTTIMEOUT_MS).
    duration connect_timeout = std::chrono::seconds(10);

    /// Kept open from one range to the next, by each range that ran at the same time as another; and how many of those
    /// are remembered (CURLMOPT_MAXCONNECTS). Not set: 32. After many requests at a time more stay open
    /// at first, and each that is used again closes another.
    int max_idle_connections = 0;

    /// Names of further header fields that are credentials: a redirect to another origin drops them, as it does
    /// Authorization, Proxy-Authorization and Cookie.
    std::vector<std::string> secret_headers = {};

    /// For what else libcurl can do: called on each new easy handle, at any time, from any thread that runs a range.
    /// r2's own settings are made after it, so that they win.
    std::function<void(CURL*)> configure = {};
};

}  // namespace r2::inline v0_2
