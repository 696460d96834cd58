#pragma once

#include <curl/curl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <string>

#include "r2/policy/client_options.hpp"

namespace r2::inline v0_2::detail::curl {

/// Calls curl_easy_setopt, for options that can fail only for lack of memory.
template <class T> void set(CURL* easy, CURLoption option, T value) {
    if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

/// The client's connect timeout, or the default one if it is not set.
inline duration connect_timeout_of(const client_options& o) noexcept {
    return o.connect_timeout > duration{} ? o.connect_timeout : client_options{}.connect_timeout;
}

/// Whether an environment variable sets a proxy for libcurl.
inline bool is_proxied_by_environment() noexcept {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
        if (std::getenv(name)) return true;
    return false;
}

/// Whether libcurl finds this system's certificate authorities in one file.
inline bool has_system_ca_file() noexcept {
    static const char* const file = curl_version_info(CURLVERSION_NOW)->cainfo;
    return file && ::access(file, R_OK) == 0;
}

/// Sets the options of a new easy handle that are the same for all transfers of a client: first the user's, then r2's.
inline void apply(const client_options& o, CURL* easy) {
    const auto set_text = [easy](CURLoption option, const std::string& value) {
        if (!value.empty()) set(easy, option, value.c_str());
    };
    // libcurl caches the authorities of a file, but not if it has a directory of them too. To parse a system's blocks
    // this thread for some 30 ms per connection.
    if (!o.ca_file.empty() || has_system_ca_file()) set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    if (o.configure)
        o.configure(easy);
    else if (o.proxy.empty() && !is_proxied_by_environment())
        set(easy, CURLOPT_NOPROXY, "*");  // else libcurl reads the variables for each request, at 3 % of its cost

    set_text(CURLOPT_PROXY, o.proxy);
    set_text(CURLOPT_CAINFO, o.ca_file);
    set_text(CURLOPT_SSLCERT, o.client_cert);
    set_text(CURLOPT_SSLKEY, o.client_key);
    set(easy, CURLOPT_SSL_VERIFYPEER, o.verify_tls ? 1L : 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, o.verify_tls ? 2L : 0L);
    if (o.http_version == http_version::http1_1)
        set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    else if (o.http_version == http_version::http2)
        set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
    else
        set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(connect_timeout_of(o));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));

    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // else removing a transfer blocks on its hung name look-up
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_ACCEPT_ENCODING, "");  // decodes every encoding that libcurl knows
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);  // r2 follows redirects itself
    set(easy, CURLOPT_FAILONERROR, 0L);
    set(easy, CURLOPT_HEADER, 0L);
    set(easy, CURLOPT_TIMEOUT_MS, 0L);  // the execution has its own
}

}  // namespace r2::inline v0_2::detail::curl
