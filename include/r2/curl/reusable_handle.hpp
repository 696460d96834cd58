#pragma once

#include <curl/curl.h>

#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "r2/curl/handles.hpp"
#include "r2/curl/header_list.hpp"
#include "r2/curl/settings.hpp"
#include "r2/curl/url.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/words/error.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail::curl {

/// The method that libcurl sends if CURLOPT_CUSTOMREQUEST is not set: by CURLOPT_HTTPGET, NOBODY, POST or UPLOAD.
enum class base_method { unknown, get, head, post, put };

constexpr bool has_body(base_method m) noexcept { return m == base_method::post || m == base_method::put; }

constexpr std::string_view to_string(base_method m) noexcept {
    switch (m) {
        case base_method::head:
            return "HEAD";
        case base_method::post:
            return "POST";
        case base_method::put:
            return "PUT";
        default:
            return "GET";
    }
}

inline base_method base_method_of(const request& q) noexcept {
    if (q.body.is_file()) return base_method::put;
    const std::string_view method = q.method;
    const bool needs_length = method == "POST" || method == "PUT" || method == "PATCH";  // RFC 9110, 8.6
    if (!q.body.empty() || needs_length) return base_method::post;
    return method == "HEAD" ? base_method::head : base_method::get;
}

/// The current settings of an easy handle. The handle refers to `lines`.
struct handle_state {
    std::string url = {};        ///< As written in the request; empty if a redirect has changed it.
    std::string shown_url = {};  ///< Without credentials.
    bool has_credentials = false;

    std::string method = {};
    base_method base = base_method::unknown;  ///< At first, `configure` may have set any.
    headers fields = {};
    std::string_view content_type = {};
    string_list lines = {};

    bool small_buffers = false;
    bool lost_configuration = false;  ///< Settings of `configure` were overwritten, and only it could restore them.
};

/// An easy handle that serves one request after the other. Sets only the options that differ from the request before.
class reusable_handle {
public:
    /// `share` may be null. It must outlive the handle.
    reusable_handle(const client_options& settings, CURLSH* share) : settings_(settings), easy_(curl_easy_init()) {
        if (!easy_) throw std::bad_alloc();
        if (share) set(CURLOPT_SHARE, share);  // first: `configure` may set another
        apply(settings_, easy_.get());
        set(CURLOPT_CURLU, url_.get());
    }
    reusable_handle(reusable_handle&&) = delete;

    CURL* get() const noexcept { return easy_.get(); }

    template <class V> void set(CURLoption option, V value) { curl::set(easy_.get(), option, value); }

    /// Sets the URL and its credentials. Skips the parsing if the request before had the same URL, as polling does.
    error set_url(const std::string& text) {
        if (text == state_.url) return {};
        state_.url.clear();
        if (error bad = url_.parse(text)) return bad;
        state_.shown_url = url_.has_credentials() ? url_.shown() : text;
        set_credentials();
        state_.url = text;
        return {};
    }

    /// Sets the method, the header fields and the body. Keep `q` alive until the transfer is over. `body_size`
    /// is in bytes.
    void set_request(const request& q, curl_off_t body_size) {
        if (settings_.http_version == http_version::http2 && fails_on_reused_cleartext_http2())
            set(CURLOPT_FORBID_REUSE, url_.is_secure() ? 0L : 1L);
        const base_method base = base_method_of(q), before = std::exchange(state_.base, base_method::unknown);
        set_body(q, base, before, body_size);
        if (base != before || state_.method != q.method) set_method(q.method, base);
        if (before == base_method::unknown || has_body(base) != has_body(before) || state_.fields != q.headers ||
            state_.content_type != q.body.content_type())
            set_fields(q, has_body(base));
        state_.base = base;
    }

    /// Applies a redirect to the URL that `url_to_change` was set to.
    void apply_redirect(bool leaves_origin) {
        state_.shown_url = url_.shown();
        if (leaves_origin && settings_.configure) reset_configured_credentials();
        set_credentials();
    }

    /// Sets buffers that take less memory. A big body then costs more system calls. Not while a transfer runs.
    void use_small_buffers(bool small) {
        if (small == state_.small_buffers || settings_.configure) return;  // `configure` may have set them
        set(CURLOPT_BUFFERSIZE, small ? 2L << 10 : long{CURL_MAX_WRITE_SIZE});
        set(CURLOPT_UPLOAD_BUFFERSIZE, small ? 16L << 10 : 64L << 10);
        state_.small_buffers = small;
    }

    const curl::url& url() const noexcept { return url_; }
    curl::url& url_to_change() noexcept {
        state_.url.clear();
        return url_;
    }

    /// The URL without credentials, as a response has it.
    const std::string& shown_url() const noexcept { return state_.shown_url; }

    /// Whether it is still set as `configure` left it, and so fit for another attempt.
    bool keeps_configuration() const noexcept { return !state_.lost_configuration; }

private:
    void set_credentials() {
        if (!url_.has_credentials() && !state_.has_credentials) return;
        state_.has_credentials = url_.has_credentials();
        if (settings_.configure) state_.lost_configuration = true;  // it may have set credentials of its own
        set(CURLOPT_USERNAME, state_.has_credentials ? url_.user().c_str() : nullptr);
        set(CURLOPT_PASSWORD, state_.has_credentials ? url_.password().c_str() : nullptr);
    }

    /// Another origin must not get these, and libcurl can't know that one follows.
    void reset_configured_credentials() {
        set(CURLOPT_USERPWD, nullptr);
        set(CURLOPT_XOAUTH2_BEARER, nullptr);
        set(CURLOPT_COOKIE, nullptr);
        set(CURLOPT_REFERER, nullptr);
        state_.lost_configuration = true;
    }

    /// libcurl 7.88 fails the second request on a connection of cleartext HTTP/2 (curl#10634). Delete this when r2
    /// needs libcurl 8.0.
    static bool fails_on_reused_cleartext_http2() noexcept {
        return curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
    }

    void set_body(const request& q, base_method base, base_method before, curl_off_t body_size) {
        if (base == base_method::put) {
            set(CURLOPT_UPLOAD, 1L);
            set(CURLOPT_INFILESIZE_LARGE, body_size);
        } else if (base == base_method::post) {
            set(CURLOPT_POST, 1L);
            set(CURLOPT_POSTFIELDSIZE_LARGE, body_size);
            set(CURLOPT_POSTFIELDS, q.body.empty() ? "" : q.body.text().data());
        } else if (base == base_method::head) {
            set(CURLOPT_NOBODY, 1L);
        } else if (before != base_method::get) {
            set(CURLOPT_HTTPGET, 1L);
        }
    }

    void set_method(const std::string& method, base_method base) {
        set(CURLOPT_CUSTOMREQUEST, method == to_string(base) ? nullptr : method.c_str());
        state_.method = method;
    }

    void set_fields(const request& q, bool has_body) {
        string_list lines = header_list(q, has_body, settings_.user_agent);
        set(CURLOPT_HTTPHEADER, lines.get());
        state_.lines = std::move(lines);
        state_.fields = q.headers;
        state_.content_type = q.body.content_type();
    }

    const client_options& settings_;
    curl::url url_;
    handle_state state_;
    easy_handle easy_;  // last: it refers to the members above
};

}  // namespace r2::inline v0_2::detail::curl
