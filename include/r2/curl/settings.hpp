#pragma once

#include <curl/curl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <string>

#include "r2/policy/client_options.hpp"

namespace r2::inline v0_2::detail::curl {

/// curl_easy_setopt, where all that can go wrong with these options is memory.
template <class T> void set(CURL* easy, CURLoption option, T value) {
    if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

inline duration connect_timeout_of(const client_options& o) noexcept {
    return o.connect_timeout > duration{} ? o.connect_timeout : client_options{}.connect_timeout;
}

inline bool is_proxied_by_environment() noexcept {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
        if (std::getenv(name)) return true;
    return false;
}

/// Whether libcurl was built to find the authorities of this system in one file, and that is there.
inline bool has_system_ca_file() noexcept {
    static const char* const file = curl_version_info(CURLVERSION_NOW)->cainfo;
    return file && ::access(file, R_OK) == 0;
}

/// Sets a new easy handle to what stays the same for all transfers of a client: the user's own first, then ours.
inline void apply(const client_options& o, CURL* easy) {
    const auto set_text = [easy](CURLoption option, const std::string& value) {
        if (!value.empty()) set(easy, option, value.c_str());
    };
    // libcurl keeps the authorities that it parsed for the next connection, but not where there is a directory of them
    // too; a system's take some 30 ms, in which nothing else goes on.
    if (!o.ca_file.empty() || has_system_ca_file()) set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    if (o.configure)
        o.configure(easy);
    else if (o.proxy.empty() && !is_proxied_by_environment())
        set(easy, CURLOPT_NOPROXY, "*");  // else libcurl looks for these variables at each request: 3 % of its cost

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
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(connect_timeout_of(o));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience.count()));

    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // else a hung name look-up blocks the removal of its transfer
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_ACCEPT_ENCODING, "");  // decodes all that libcurl can
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);  // r2 follows redirects itself
    set(easy, CURLOPT_FAILONERROR, 0L);
    set(easy, CURLOPT_HEADER, 0L);
    set(easy, CURLOPT_TIMEOUT_MS, 0L);  // the loop keeps the time
}

}  // namespace r2::inline v0_2::detail::curl
