#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "r2/words/time.hpp"

// The same declaration as in <curl/curl.h>, which this header doesn't include.
#ifdef CURL_STRICTER
typedef struct Curl_easy CURL;
#else
typedef void CURL;
#endif

namespace r2::inline v0_2 {

/// The HTTP versions that a client uses (CURLOPT_HTTP_VERSION).
enum class http_version {
    any,      ///< HTTP/2 if TLS negotiates it, else HTTP/1.1.
    http1_1,  ///< HTTP/1.1 only.
    http2,    ///< As `any` with https; with http, HTTP/2 from the first byte (prior knowledge).
};

/// The settings of a client. An empty or non-positive field is not set.
struct client_options {
    /// The User-Agent (CURLOPT_USERAGENT). Not set: "r2/" and the version.
    std::string user_agent = {};

    /// The URL of a proxy (CURLOPT_PROXY). Not set: the environment variables `http_proxy`, `https_proxy` and
    /// `no_proxy`.
    std::string proxy = {};

    /// The PEM file of the trusted authorities (CURLOPT_CAINFO). A change takes effect within a day
    /// (CURLOPT_CA_CACHE_TIMEOUT). Not set: the system's authorities, from their single file if there is one.
    std::string ca_file = {};

    /// The PEM files of the client's certificate and key (CURLOPT_SSLCERT, CURLOPT_SSLKEY). Not set: none.
    std::string client_cert = {};
    std::string client_key = {};

    /// False accepts any certificate: an attacker can then read and change everything (CURLOPT_SSL_VERIFYPEER,
    /// CURLOPT_SSL_VERIFYHOST).
    bool verify_tls = true;

    r2::http_version http_version = r2::http_version::any;

    /// Limits the time from name look-up to the end of the TLS handshake (CURLOPT_CONNECTTIMEOUT_MS).
    duration connect_timeout = std::chrono::seconds(10);

    /// Limits the idle connections that a range leaves for later ranges, and the number of ranges that leave any
    /// (CURLMOPT_MAXCONNECTS). Not set: 32. After many requests at a time more connections stay open; each reuse closes
    /// one of them.
    int max_idle_connections = 0;

    /// Names of further header fields that are credentials. A redirect to another origin drops them, as it drops
    /// Authorization, Proxy-Authorization and Cookie.
    std::vector<std::string> secret_headers = {};

    /// Sets further libcurl options. Called on each new easy handle, from any thread that runs a range. r2's own
    /// options are set afterwards and win.
    std::function<void(CURL*)> configure = {};
};

}  // namespace r2::inline v0_2
