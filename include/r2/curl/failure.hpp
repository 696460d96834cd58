#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include "r2/curl/download.hpp"
#include "r2/words/error.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

/// The kind of error that a CURLcode usually is. `failure` knows the exceptions.
constexpr errc kind_of(CURLcode code) noexcept {
    switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
            return errc::invalid_request;

        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return errc::resolve;

        case CURLE_COULDNT_CONNECT:
        case CURLE_PROXY:
        case CURLE_NO_CONNECTION_AVAILABLE:
        case CURLE_QUIC_CONNECT_ERROR:
            return errc::connect;

        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_CLIENTCERT:
            return errc::tls;

        case CURLE_OPERATION_TIMEDOUT:
            return errc::timeout;

        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_HTTP2_STREAM:
        case CURLE_SSL_SHUTDOWN_FAILED:
            return errc::disconnected;

        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2:
        case CURLE_HTTP3:
        case CURLE_BAD_CONTENT_ENCODING:
            return errc::protocol;

        case CURLE_FILESIZE_EXCEEDED:
            return errc::too_large;
        case CURLE_TOO_MANY_REDIRECTS:
            return errc::too_many_redirects;

        case CURLE_READ_ERROR:
        case CURLE_SEND_FAIL_REWIND:
            return errc::body_unreadable;

        // Memory, files, configuration, callbacks, and codes of future versions.
        default:
            return errc::local;
    }
}

class category_t final : public std::error_category {
public:
    const char* name() const noexcept override { return "curl"; }
    std::string message(int code) const override { return curl_easy_strerror(static_cast<CURLcode>(code)); }
    std::error_condition default_error_condition(int code) const noexcept override {
        return make_error_condition(kind_of(static_cast<CURLcode>(code)));
    }
    bool equivalent(int code, const std::error_condition& c) const noexcept override {
        return detail::r2_category().equivalent(static_cast<int>(kind_of(static_cast<CURLcode>(code))), c);
    }
    using std::error_category::equivalent;
};

/// The category of `error::code()` for CURLcodes.
inline const category_t& category() noexcept {
    static const category_t c;
    return c;
}

/// The facts about a failed transfer besides its CURLcode.
struct circumstances {
    int sends = 0;
    std::string_view text = {};  ///< CURLOPT_ERRORBUFFER.
    std::string host = {};
    int os_error = 0;  ///< CURLINFO_OS_ERRNO.
    duration connect_timeout = {};
};

/// Whether libcurl's text for this code is safe to show. The texts for other codes may quote a part of the URL, of a
/// proxy's URL or of a response.
constexpr bool quotes_no_secret(CURLcode code) noexcept {
    return kind_of(code) == errc::tls || kind_of(code) == errc::disconnected || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CRL_BADFILE || code == CURLE_SSL_CIPHER ||
           code == CURLE_HTTP2 || code == CURLE_HTTP3 || code == CURLE_OPERATION_TIMEDOUT ||
           code == CURLE_INTERFACE_FAILED;
}

/// Finds the peer in "Failed to connect to HOST port N after 3 ms: …". The peer is the proxy if there is one.
/// Returns `host` for any other text.
inline std::string peer_in(std::string_view text, const std::string& host) {
    const std::size_t from = text.find(" connect to "), to = text.find(" after ");
    return from < to && to != std::string_view::npos ? std::string(text.substr(from + 12, to - from - 12)) : host;
}

inline std::string detail_of(CURLcode code, const circumstances& c) {
    if (code == CURLE_COULDNT_RESOLVE_HOST) return c.host;
    if (code == CURLE_COULDNT_RESOLVE_PROXY) return "the proxy";
    if (code == CURLE_COULDNT_CONNECT)
        return peer_in(c.text, c.host) + (c.os_error ? ": " + std::generic_category().message(c.os_error) : "");
    if (code == CURLE_OPERATION_TIMEDOUT && c.sends == 0) return "no connection within " + to_string(c.connect_timeout);
    if (code == CURLE_UNSUPPORTED_PROTOCOL) return "the response isn't HTTP/1 or HTTP/2";
    if (code == CURLE_BAD_FUNCTION_ARGUMENT && c.sends > 0) return "a field of the response is malformed";
    if (code == CURLE_GOT_NOTHING) return "the connection was closed before a response";
    if (code == CURLE_PARTIAL_FILE) return "the response body is truncated";
    return std::string(quotes_no_secret(code) && !c.text.empty() ? c.text : curl_easy_strerror(code));
}

/// Whether a TLS handshake broke off, which may pass, or came to a verdict, which won't. Only OpenSSL's text differs: a
/// verdict contains "SSL routines". Since OpenSSL 3.0 an end of file does too.
constexpr bool handshake_broke(CURLcode code, std::string_view text) noexcept {
    return code == CURLE_SSL_CONNECT_ERROR && (text.find("SSL routines") == std::string_view::npos ||
                                               text.find("unexpected eof") != std::string_view::npos);
}

/// Makes the error of a transfer that libcurl failed.
inline error failure(CURLcode code, const circumstances& c) {
    errc kind = kind_of(code);
    // After a send, these two codes mean the response.
    const bool by_response = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_BAD_FUNCTION_ARGUMENT;
    if (by_response && c.sends > 0) kind = errc::protocol;
    bool transient = error(kind).transient();
    if (kind == errc::tls) transient = handshake_broke(code, c.text);
    if (kind == errc::protocol) transient = code != CURLE_BAD_CONTENT_ENCODING;
    return {kind,
            {static_cast<int>(code), category()},
            detail_of(code, c),
            c.sends > 0 ? sent::maybe : sent::no,
            transient};
}

/// Why a callback of r2 aborted a transfer.
enum class abort_reason { none, resend_forbidden, head_too_large, body_too_large, body_unreadable, out_of_memory };

constexpr errc kind_of(abort_reason r) noexcept {
    switch (r) {
        case abort_reason::resend_forbidden:
            return errc::disconnected;
        case abort_reason::head_too_large:
        case abort_reason::body_too_large:
            return errc::too_large;
        case abort_reason::body_unreadable:
            return errc::body_unreadable;
        default:
            return errc::local;
    }
}

inline std::string detail_of(abort_reason r, std::size_t max_body) {
    switch (r) {
        case abort_reason::resend_forbidden:
            return "the connection died with the request on it, and sending it again isn't safe";
        case abort_reason::head_too_large:
            return "the head is over " + std::to_string(download::max_head >> 10) +
                   " KiB, or a line of it over 100 KiB";
        case abort_reason::body_too_large:
            return "the body is over " + std::to_string(max_body) + " bytes";
        case abort_reason::body_unreadable:
            return "the file became unreadable or shorter while it was sent";
        default:
            return "out of memory";
    }
}

}  // namespace r2::inline v0_2::detail::curl
