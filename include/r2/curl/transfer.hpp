#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "r2/curl/download.hpp"
#include "r2/curl/failure.hpp"
#include "r2/curl/handles.hpp"
#include "r2/curl/outgoing.hpp"
#include "r2/curl/settings.hpp"
#include "r2/curl/url.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/policy/redirect.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail::curl {

/// A reusable easy handle that carries out one attempt at a time, redirects included. Options that stay are set once,
/// the others only where the request differs from the one before.
class transfer {
public:
    /// `share` is what it has in common with others, and lives as long.
    explicit transfer(const client_options& settings, CURLSH* share = nullptr)
        : settings_(settings), easy_(curl_easy_init()) {
        if (!easy_) throw std::bad_alloc();
        if (share) set(CURLOPT_SHARE, share);  // before the user's own, if there is one
        apply(settings_, easy_.get());
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
    bool begin(const request& q, const transfer_limits& l) {
        request_ = &q;
        limits_ = l;
        sends_ = redirects_ = 0;
        if (failure_) failure_ = {};
        resent_ = resend_forbidden_ = body_failed_ = out_of_memory_ = was_secure_ = only_receives_ = false;
        if (error bad = locate(q.url)) return failure_ = std::move(bad), false;
        if (error bad = load()) return failure_ = std::move(bad), false;
        return true;
    }

    /// Takes less memory, which many at a time need; a big body then costs more system calls. While it isn't added.
    void use_small_buffers(bool small) {
        if (small == small_buffers_ || settings_.configure) return;  // which may have set it
        set(CURLOPT_BUFFERSIZE, small ? small_buffer : long{CURL_MAX_WRITE_SIZE});
        set(CURLOPT_UPLOAD_BUFFERSIZE, small ? 16L << 10 : 64L << 10);
        small_buffers_ = small;
    }

    /// Whether the request has left as a whole, so that nothing but its answer is missing.
    bool is_sent() const noexcept {
        curl_off_t sent = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
        return hop_sends_ > 0 && sent >= outgoing_.size(*request_);
    }

    /// From here on it sends nothing more, and keeps nothing of what comes.
    void only_receive() noexcept {
        only_receives_ = true;
        download_.discard();
    }

    /// Told how libcurl ended, says whether the attempt is over: else a redirect leads on, and the handle is ready to
    /// be added again.
    bool end(CURLcode code) noexcept {
        try {
            return is_over(code);
        } catch (...) {  // memory: an error without a word of detail needs none
            failure_ = error(errc::local, {}, sends_ > 0 ? sent::maybe : sent::no);
            return true;
        }
    }

    /// The outcome of the attempt, once it is over.
    attempt result() {
        if (failure_) return attempt(std::exchange(failure_, {}), sends_);
        return attempt(std::move(download_.answer()), sends_);
    }

    /// Lets go of everything that belongs to the attempt.
    void release() noexcept {
        outgoing_.file().close();
        download_.drop();
        own_.reset();
        request_ = nullptr;
    }

    bool is_secure() const noexcept { return url_.is_secure(); }
    int sends() const noexcept { return sends_; }

    /// Whether it may serve another attempt: not where a hop took settings away that only `configure` could give back,
    /// nor after a resend: libcurl (7.88) counts these for as long as the handle lives, and refuses the sixth.
    bool reusable() const noexcept { return !stripped_ && !resent_ && !resend_forbidden_; }

private:
    static constexpr long small_buffer = 2L << 10;

    template <class V> void set(CURLoption option, V value) { curl::set(easy_.get(), option, value); }

    bool is_over(CURLcode code) {
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

    /// Takes the URL apart, unless it is the one of the attempt before: polling asks for the same one over and over.
    error locate(const std::string& text) {
        if (text == located_) return {};
        located_.clear();
        if (error bad = url_.parse(text)) return bad;
        located_ = text;
        url_shown_ = url_.has_credentials() ? url_.shown() : text;
        use_credentials();
        return {};
    }

    void use_credentials() {
        if (!url_.has_credentials() && !credentials_set_) return;
        credentials_set_ = url_.has_credentials();
        if (settings_.configure) stripped_ = true;  // these may replace credentials of its own
        set(CURLOPT_USERNAME, credentials_set_ ? url_.user().c_str() : nullptr);
        set(CURLOPT_PASSWORD, credentials_set_ ? url_.password().c_str() : nullptr);
    }

    /// Sets the handle to the current request, and to receive its answer.
    error load() {
        was_secure_ = was_secure_ || url_.is_secure();
        hop_sends_ = 0;
        text_[0] = '\0';
        download_.begin(limits_.max_body);
        if (settings_.http_version == http_version::http2 && loses_cleartext_http2())
            set(CURLOPT_FORBID_REUSE, url_.is_secure() ? 0L : 1L);
        error bad = outgoing_.load(easy_.get(), *request_, settings_);
        if (bad && sends_ > 0) return own(bad.kind(), "the file is no longer there for a redirect", bad.code());
        return bad;
    }

    /// libcurl 7.88 fails the second request on a connection of cleartext HTTP/2 (curl#10634, mended in 8.0).
    static bool loses_cleartext_http2() noexcept { return curl_version_info(CURLVERSION_NOW)->version_num < 0x080000; }

    /// An error of our own making, in the middle of an attempt.
    error own(errc kind, std::string detail, std::error_code code) const {
        return {kind, code, std::move(detail), sends_ > 0 ? sent::maybe : sent::no, error(kind).transient()};
    }

    error judge(CURLcode code) {
        if (code == CURLE_OK)
            return own(errc::disconnected, "the head of the response was cut short", error(errc::disconnected).code());
        const std::error_code why(static_cast<int>(code), category());
        if (resend_forbidden_)
            return own(errc::disconnected,
                       "the connection died with the request on it, and sending it again isn't safe", why);
        if (download_.has_head() && download_.too_large())
            return own(errc::too_large, "the body is over " + std::to_string(limits_.max_body) + " bytes", why);
        // libcurl 7.88 calls a line that is over its own limit a lack of memory; 8.6 has CURLE_TOO_LARGE for it.
        if (download_.too_large() || (code == CURLE_OUT_OF_MEMORY && sends_ > 0 && !download_.has_head()))
            return own(
                errc::too_large,
                "the head is over " + std::to_string(download::max_head >> 10) + " KiB, or a line of it over 100 KiB",
                why);
        if (body_failed_)
            return own(errc::body_unreadable, "the file became unreadable or shorter while it was sent", why);
        if (out_of_memory_) return own(errc::local, "out of memory", why);
        long os_error = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
        return failure(code, {sends_, text_, url_.part(CURLUPART_HOST), static_cast<int>(os_error),
                              connect_timeout_of(settings_)});
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
        set(CURLOPT_REFERER, nullptr);
        stripped_ = true;
    }

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
        const std::size_t got = self(me).outgoing_.file().read(to, size * count);
        self(me).body_failed_ = self(me).body_failed_ || got == CURL_READFUNC_ABORT;
        return got;
    }
    static int on_seek(void* me, curl_off_t offset, int from) noexcept {
        return self(me).outgoing_.file().seek(offset, from);
    }

    // Runs just before each real send. A second one without an answer in between is libcurl's own doing: the reused
    // connection was dead (and says nothing of how much of the request arrived).
    static int on_send(void* me, char*, char*, int, int) noexcept {
        transfer& t = self(me);
        if (t.only_receives_) return CURL_PREREQFUNC_ABORT;
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
    outgoing outgoing_;
    download download_;
    char text_[CURL_ERROR_SIZE] = {};

    error failure_;
    const request* request_ = nullptr;  // the caller's, or own_
    std::optional<request> own_;        // that of a redirect
    transfer_limits limits_;
    int sends_ = 0;
    int hop_sends_ = 0;
    int redirects_ = 0;
    bool resent_ = false;
    bool resend_forbidden_ = false;
    bool body_failed_ = false;
    bool out_of_memory_ = false;
    bool was_secure_ = false;
    bool only_receives_ = false;

    // What the handle is set to.
    std::string located_;
    std::string url_shown_;
    bool credentials_set_ = false;
    bool stripped_ = false;
    bool small_buffers_ = false;

    easy_handle easy_;  // last, as it refers to what is above
};

}  // namespace r2::inline v0_2::detail::curl
