#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "r2/curl/exchange.hpp"
#include "r2/curl/failure.hpp"
#include "r2/curl/redirects.hpp"
#include "r2/curl/reusable_handle.hpp"
#include "r2/curl/settings.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/check.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail::curl {

/// Carries out one transfer at a time, redirects included, on an easy handle of its own.
class transfer {
public:
    /// `share` may be null. It must outlive the transfer.
    explicit transfer(const client_options& settings, CURLSH* share = nullptr)
        : settings_(settings), redirects_(settings.secret_headers), handle_(settings, share) {
        handle_.set(CURLOPT_PRIVATE, this);
        exchange_.attach(handle_);
    }
    transfer(transfer&&) = delete;

    CURL* handle() const noexcept { return handle_.get(); }
    static transfer& of(CURL* easy) noexcept {
        char* self = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
        return *reinterpret_cast<transfer*>(self);
    }

    /// Begins an attempt, and prepares the handle for a multi handle. Returns false if the attempt failed already: then
    /// nothing is sent. Keep `q` alive until `release` or `drain`.
    bool begin(const request& q, const transfer_limits& l) {
        exchange_.begin(l.max_body);
        redirects_.begin(q, l.max_redirects);
        if (failure_) failure_ = {};
        if (error bad = prepare(q.url)) {
            failure_ = std::move(bad);
            return false;
        }
        return true;
    }

    void use_small_buffers(bool small) { handle_.use_small_buffers(small); }

    /// Whether the whole request was sent, so that only the response is missing.
    bool is_sent() const noexcept {
        curl_off_t sent = 0;
        curl_easy_getinfo(handle(), CURLINFO_SIZE_UPLOAD_T, &sent);
        return exchange_.has_sent_hop() && sent >= exchange_.body_size();
    }

    /// From now on only receives, and keeps nothing of it. `q` is the request.
    void drain(std::shared_ptr<const request> q) noexcept {
        exchange_.drain();
        kept_ = std::move(q);
    }
    bool is_draining() const noexcept { return exchange_.is_draining(); }

    /// Ends a hop, with libcurl's result. Returns true if the attempt is over; else a redirect leads on, and the handle
    /// is prepared for the next hop.
    bool finish_hop(CURLcode code) noexcept {
        try {
            return is_final(code);
        } catch (...) {  // out of memory: an error without a detail needs none
            failure_ = error(errc::local, {}, exchange_.was_sent());
            return true;
        }
    }

    /// Returns the outcome of the attempt that is over.
    attempt result() {
        if (failure_) return attempt(std::exchange(failure_, {}), sends());
        return attempt(std::move(exchange_.received().response_so_far()), sends());
    }

    /// Forgets the attempt.
    void release() noexcept {
        exchange_.release();
        redirects_.release();
        kept_.reset();
    }

    bool is_secure() const noexcept { return handle_.url().is_secure(); }

    /// How often the attempt's requests were put on the wire.
    int sends() const noexcept { return exchange_.sends(); }

    /// Whether it may carry out another attempt. Not after a resend: libcurl (7.88) counts a handle's resends over its
    /// whole life, and refuses the sixth.
    bool is_reusable() const noexcept { return handle_.keeps_configuration() && !exchange_.met_dead_connection(); }

private:
    bool is_final(CURLcode code) {
        if (code != CURLE_OK || !exchange_.received().has_head()) {
            failure_ = error_of(code);
            return true;
        }
        response& r = exchange_.received().response_so_far();
        if (const auto location = redirects_.location(r)) {
            failure_ = follow(*location, r.status);
            return static_cast<bool>(failure_);
        }
        r.url = handle_.shown_url();
        return true;
    }

    error follow(const std::string& location, int status) {
        if (error refused = redirects_.follow(location, status, handle_.url_to_change())) return refused;
        handle_.apply_redirect(redirects_.left_origin());
        const error bad = begin_hop();
        if (bad) return own_error(bad.kind(), "the file is no longer there for a redirect", bad.code());
        return {};
    }

    error prepare(const std::string& url) {
        if (error bad = handle_.set_url(url)) return bad;
        return begin_hop();
    }

    error begin_hop() {
        if (has_line_break(settings_.user_agent))
            return {errc::invalid_request, "client_options::user_agent has CR, LF or NUL in it"};
        const request& q = redirects_.current();
        if (error bad = exchange_.begin_hop(q)) return bad;
        handle_.set_request(q, exchange_.body_size());
        return {};
    }

    /// An error that r2 found, in the middle of an attempt.
    error own_error(errc kind, std::string detail, std::error_code code) const {
        return {kind, code, std::move(detail), exchange_.was_sent(), error(kind).transient()};
    }

    error error_of(CURLcode code) {
        if (code == CURLE_OK)  // a truncated head is a success to libcurl
            return own_error(errc::disconnected, "the response head is truncated", error(errc::disconnected).code());
        if (const abort_reason why = exchange_.why_aborted(code); why != abort_reason::none)
            return own_error(kind_of(why), detail_of(why, exchange_.max_body()), {static_cast<int>(code), category()});
        long os_error = 0;
        curl_easy_getinfo(handle(), CURLINFO_OS_ERRNO, &os_error);
        return failure(code, {sends(), exchange_.error_text(), handle_.url().part(CURLUPART_HOST),
                              static_cast<int>(os_error), connect_timeout_of(settings_)});
    }

    const client_options& settings_;
    redirects redirects_;
    exchange exchange_;
    error failure_;
    std::shared_ptr<const request> kept_;  // the request of a transfer that drains
    reusable_handle handle_;               // last: it calls back into the exchange
};

}  // namespace r2::inline v0_2::detail::curl
