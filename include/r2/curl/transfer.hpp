#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "r2/curl/client_options.hpp"
#include "r2/curl/download.hpp"
#include "r2/curl/failure.hpp"
#include "r2/curl/handles.hpp"
#include "r2/curl/upload.hpp"
#include "r2/curl/url.hpp"
#include "r2/engine.hpp"
#include "r2/policy/redirect.hpp"
#include "r2/words/request.hpp"

namespace r2::curl {

/// A reusable easy handle that carries out one attempt at a time, redirects included. Options that stay are set once,
/// the others only where the request differs from the one before.
class transfer {
public:
    explicit transfer(const client_options& settings) : settings_(settings), easy_(curl_easy_init()) {
        if (!easy_) throw std::bad_alloc();
        if (settings_.configure)
            settings_.configure(easy_.get());
        else if (settings_.proxy.empty() && !proxied_by_environment())
            set(CURLOPT_NOPROXY, "*");  // else libcurl looks for these variables at each request: 3 % of its cost
        apply_settings();
        take_callbacks();
    }
    transfer(transfer&&) = delete;

    CURL* handle() const noexcept { return easy_.get(); }
    static transfer& of(CURL* easy) noexcept {
        char* self = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
        return *reinterpret_cast<transfer*>(self);
    }

    /// Gets the handle ready to be added to a multi handle. False where that can't be: then nothing is sent.
    bool begin(transfer_id id, const request& q, const limits& l) {
        id_ = id;
        request_ = &q;
        limits_ = l;
        sends_ = redirects_ = 0;
        if (failure_) failure_ = {};
        resent_ = resend_forbidden_ = body_failed_ = was_secure_ = false;
        if (error bad = locate(q.url)) return failure_ = std::move(bad), false;
        if (error bad = load()) return failure_ = std::move(bad), false;
        return true;
    }

    /// Told how libcurl ended, says whether the attempt is over: else a redirect leads on, and the handle is ready to
    /// be added again.
    bool end(CURLcode code) {
        if (code != CURLE_OK || !download_.has_head()) return failure_ = judge(code), true;
        response& answer = download_.answer();
        if (limits_.max_redirects > 0 && is_redirect(answer.status))
            if (const auto location = answer.headers.get("Location")) {
                failure_ = follow(std::string(*location));
                return static_cast<bool>(failure_);
            }
        answer.url = url_shown_;
        return true;
    }

    /// Puts what the attempt came to, once it is over.
    void result(std::optional<attempt>& into) {
        if (failure_)
            into.emplace(std::exchange(failure_, {}), sends_);
        else
            into.emplace(std::move(download_.answer()), sends_);
    }

    /// Lets go of everything that belongs to the attempt.
    void release() noexcept {
        upload_.close();
        own_.reset();
        request_ = nullptr;
    }

    transfer_id id() const noexcept { return id_; }
    int sends() const noexcept { return sends_; }

    /// Whether it may serve another attempt: not where a hop took settings away that only `configure` could give back.
    bool reusable() const noexcept { return !stripped_; }

private:
    template <class T> void set(CURLoption option, T value) {
        if (curl_easy_setopt(easy_.get(), option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    }
    void set_text(CURLoption option, const std::string& value) {
        if (!value.empty()) set(option, value.c_str());
    }

    void apply_settings() {
        set_text(CURLOPT_PROXY, settings_.proxy);
        set_text(CURLOPT_CAINFO, settings_.ca_file);
        set_text(CURLOPT_SSLCERT, settings_.client_cert);
        set_text(CURLOPT_SSLKEY, settings_.client_key);
        if (!settings_.verify_tls) {
            set(CURLOPT_SSL_VERIFYPEER, 0L);
            set(CURLOPT_SSL_VERIFYHOST, 0L);
        }
        set(CURLOPT_HTTP_VERSION, settings_.http_version == http_version::http1_1 ? long{CURL_HTTP_VERSION_1_1}
                                  : settings_.http_version == http_version::http2
                                      ? long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE}
                                      : long{CURL_HTTP_VERSION_2TLS});
        set(CURLOPT_CONNECTTIMEOUT_MS,
            static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(connect_timeout()).count()));
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_QUICK_EXIT, 1L);  // else a hung name look-up blocks the removal of its transfer
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_ACCEPT_ENCODING, "");  // decodes all that libcurl can
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_FAILONERROR, 0L);
        set(CURLOPT_HEADER, 0L);
        set(CURLOPT_TIMEOUT_MS, 0L);
    }

    static bool proxied_by_environment() noexcept {
        for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
            if (std::getenv(name)) return true;
        return false;
    }

    void take_callbacks() {
        set(CURLOPT_PRIVATE, this);
        set(CURLOPT_CURLU, url_.get());
        set(CURLOPT_ERRORBUFFER, text_);
        set(CURLOPT_HEADERFUNCTION, &on_header);
        set(CURLOPT_HEADERDATA, this);
        set(CURLOPT_WRITEFUNCTION, &on_body);
        set(CURLOPT_WRITEDATA, this);
        set(CURLOPT_READFUNCTION, &on_read);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_SEEKFUNCTION, &on_seek);
        set(CURLOPT_SEEKDATA, this);
        set(CURLOPT_PREREQFUNCTION, &on_send);
        set(CURLOPT_PREREQDATA, this);
    }

    duration connect_timeout() const noexcept {
        return settings_.connect_timeout > duration{} ? settings_.connect_timeout : client_options{}.connect_timeout;
    }

    /// Takes the URL apart, unless it is the one of the attempt before: polling asks for the same one over and over.
    error locate(const std::string& text) {
        if (text == located_) return {};
        located_.clear();
        if (error bad = url_.parse(text)) return bad;
        located_ = text;
        url_shown_ = url_.user().empty() && url_.password().empty() ? text : url_.shown();
        use_credentials();
        return {};
    }

    void use_credentials() {
        if (!url_.has_credentials() && !credentials_set_) return;
        credentials_set_ = url_.has_credentials();
        set(CURLOPT_USERNAME, credentials_set_ ? url_.user().c_str() : nullptr);
        set(CURLOPT_PASSWORD, credentials_set_ ? url_.password().c_str() : nullptr);
    }

    /// Sets the handle to the current request, and to receive its answer.
    error load() {
        const request& q = *request_;
        was_secure_ = was_secure_ || url_.is_secure();
        const std::string_view method = q.method;
        const bool needs_length = method == "POST" || method == "PUT" || method == "PATCH";  // RFC 9110, 8.6
        if (q.body.is_file()) {
            if (!upload_.open(q.body.path()))
                return {errc::body_unreadable, "no regular file that can be read at " + std::string(q.body.path())};
            set(CURLOPT_UPLOAD, 1L);
            set(CURLOPT_INFILESIZE_LARGE, upload_.size());
            set_method(q.method, "PUT");
        } else if (!q.body.empty() || needs_length) {
            set(CURLOPT_POST, 1L);
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(q.body.text().size()));
            set(CURLOPT_POSTFIELDS, q.body.empty() ? "" : q.body.text().data());
            set_method(q.method, "POST");
        } else if (method == "HEAD") {
            set(CURLOPT_NOBODY, 1L);
            set_method(q.method, "HEAD");
        } else {
            if (method_ != "GET") set(CURLOPT_HTTPGET, 1L);
            set_method(q.method, "GET");
        }
        set_headers(q, !q.body.empty() || needs_length);
        hop_sends_ = 0;
        text_[0] = '\0';
        download_.begin(limits_.max_body);
        return {};
    }

    /// `natural` is the method that libcurl sends without being told.
    void set_method(const std::string& method, std::string_view natural) {
        if (method_ == method && natural_ == natural) return;
        set(CURLOPT_CUSTOMREQUEST, method == natural ? nullptr : method.c_str());
        method_ = method;
        natural_ = natural;
    }

    void set_headers(const request& q, bool has_body) {
        if (list_ && headers_set_ == q.headers && body_headers_set_ == has_body && type_set_ == q.body.content_type())
            return;
        string_list list;
        const auto append = [&](const std::string& line) {
            curl_slist* longer = curl_slist_append(list.get(), line.c_str());
            if (!longer) throw std::bad_alloc();
            static_cast<void>(list.release());
            list.reset(longer);
        };
        // In libcurl's words, "name;" is an empty value, and "name:" is none: what it would send by itself is left out.
        const auto unless_given = [&](std::string_view name, std::string_view value) {
            if (!q.headers.contains(name)) append(std::string(name).append(value.empty() ? ":" : ": ").append(value));
        };
        q.headers.for_each([&](std::string_view name, std::string_view value) {
            append(std::string(name).append(value.empty() ? ";" : ": ").append(value));
        });
        // Here rather than by CURLOPT_USERAGENT, which composes the line anew for each request: 3 % of its cost.
        unless_given("User-Agent", settings_.user_agent.empty() ? default_user_agent : settings_.user_agent);
        unless_given("Accept-Encoding", {});  // compression is the user's to ask for; what comes is decoded
        unless_given("Accept", {});           // "*/*" says no more
        if (has_body) {
            unless_given("Content-Type", q.body.content_type());  // else libcurl says that any is a form
            unless_given("Expect", {});
        }
        set(CURLOPT_HTTPHEADER, list.get());
        list_ = std::move(list);
        headers_set_ = q.headers;
        body_headers_set_ = has_body;
        type_set_ = q.body.content_type();
    }

    error judge(CURLcode code) {
        const auto own = [&](errc kind, std::string detail) {
            const std::error_code why(static_cast<int>(code), category());
            return error(kind, why, std::move(detail), sends_ > 0 ? sent::maybe : sent::no, error(kind).transient());
        };
        if (code == CURLE_OK) return own(errc::disconnected, "the head of the response was cut short");
        if (resend_forbidden_)
            return own(errc::disconnected,
                       "the connection died with the request on it, and sending it again isn't safe");
        if (download_.too_large())
            return own(errc::too_large, download_.has_head()
                                            ? "the body is over " + std::to_string(limits_.max_body) + " bytes"
                                            : "the head is over " + std::to_string(download::max_head) + " bytes");
        if (body_failed_) return own(errc::body_unreadable, "the file became unreadable or shorter while it was sent");
        if (out_of_memory_) return own(errc::local, "out of memory");
        long os_error = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
        return failure(code, {sends_, text_, url_.part(CURLUPART_HOST), static_cast<int>(os_error), connect_timeout()});
    }

    error follow(const std::string& location) {
        const auto refused = [](errc kind, std::string why) {
            return error(kind, {static_cast<int>(kind), detail::r2_category()}, std::move(why), sent::maybe, false);
        };
        if (++redirects_ > limits_.max_redirects)
            return refused(errc::too_many_redirects, "more than " + std::to_string(limits_.max_redirects));
        const origin before = url_.where();
        located_.clear();
        if (error bad = url_.follow(location)) return refused(errc::protocol, "a redirect that can't be followed");
        if (was_secure_ && !url_.is_secure())
            return refused(errc::protocol, "a redirect from https to http, which isn't followed");
        const bool same_origin = url_.where() == before;
        url_shown_ = url_.shown();
        own_ = redirected(own_ ? std::move(*own_) : *request_, download_.answer().status, url_shown_, same_origin,
                          settings_.secret_headers);
        request_ = &*own_;
        if (!same_origin) strip_configured_credentials();
        use_credentials();
        return load();
    }

    /// What `configure` may have set beside the URL and the headers; libcurl can't know that another origin follows.
    void strip_configured_credentials() {
        if (!settings_.configure) return;
        set(CURLOPT_USERPWD, nullptr);
        set(CURLOPT_XOAUTH2_BEARER, nullptr);
        set(CURLOPT_COOKIE, nullptr);
        stripped_ = true;
    }

    static constexpr std::string_view default_user_agent = "r2/0.1.0";

    static transfer& self(void* data) noexcept { return *static_cast<transfer*>(data); }

    // Nothing may be thrown through libcurl's frames; allocating is all that can.
    template <class F> bool guarded(F f) noexcept {
        try {
            return f();
        } catch (...) {
            out_of_memory_ = true;
            return false;
        }
    }

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* me) noexcept {
        const std::string_view text(data, size * count);
        return self(me).guarded([&] { return self(me).download_.line(text); }) ? text.size() : 0;
    }
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* me) noexcept {
        const std::string_view text(data, size * count);
        // Not the number of bytes means an error; of an empty text, 0 is that number.
        return self(me).guarded([&] { return self(me).download_.bytes(text); }) ? text.size() : text.size() + 1;
    }
    static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* me) noexcept {
        const std::size_t got = self(me).upload_.read(to, size * count);
        self(me).body_failed_ = self(me).body_failed_ || got == CURL_READFUNC_ABORT;
        return got;
    }
    static int on_seek(void* me, curl_off_t offset, int from) noexcept { return self(me).upload_.seek(offset, from); }

    // Runs just before each real send. A second one without an answer in between is libcurl's own doing: the reused
    // connection was dead (and says nothing of how much of the request arrived).
    static int on_send(void* me, char*, char*, int, int) noexcept {
        transfer& t = self(me);
        if (t.hop_sends_ > 0 && !t.download_.begun()) {
            t.resend_forbidden_ = t.resent_ || !is_idempotent(*t.request_);
            if (t.resend_forbidden_) return CURL_PREREQFUNC_ABORT;
            t.resent_ = true;
        }
        t.download_.expect_another();
        ++t.hop_sends_;
        ++t.sends_;
        return CURL_PREREQFUNC_OK;
    }

    const client_options& settings_;
    url url_;
    string_list list_;
    upload upload_;
    download download_;
    char text_[CURL_ERROR_SIZE] = {};

    transfer_id id_ = {};
    error failure_;
    const request* request_ = nullptr;  // the caller's, or own_
    std::optional<request> own_;        // that of a redirect
    limits limits_;
    int sends_ = 0;
    int hop_sends_ = 0;
    int redirects_ = 0;
    bool resent_ = false;
    bool resend_forbidden_ = false;
    bool body_failed_ = false;
    bool out_of_memory_ = false;
    bool was_secure_ = false;

    // What the handle is set to.
    std::string located_;
    std::string url_shown_;
    std::string method_ = "GET";
    std::string natural_ = "GET";
    headers headers_set_;
    std::string_view type_set_;
    bool body_headers_set_ = false;
    bool credentials_set_ = false;
    bool stripped_ = false;

    easy_handle easy_;  // last, as it refers to what is above
};

}  // namespace r2::curl
