#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "r2/curl/download.hpp"
#include "r2/curl/failure.hpp"
#include "r2/curl/reusable_handle.hpp"
#include "r2/curl/upload.hpp"
#include "r2/words/error.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail::curl {

/// Sends and receives the bytes of one transfer, hop by hop, in libcurl's callbacks.
class exchange {
public:
    exchange() = default;
    exchange(exchange&&) = delete;

    /// Sets the callbacks of `h`. `h` must not outlive this.
    void attach(reusable_handle& h) {
        h.set(CURLOPT_ERRORBUFFER, error_text_);
        h.set(CURLOPT_HEADERFUNCTION, &on_header);
        h.set(CURLOPT_HEADERDATA, this);
        h.set(CURLOPT_WRITEFUNCTION, &on_body);
        h.set(CURLOPT_WRITEDATA, this);
        h.set(CURLOPT_READFUNCTION, &on_read);
        h.set(CURLOPT_READDATA, this);
        h.set(CURLOPT_SEEKFUNCTION, &on_seek);
        h.set(CURLOPT_SEEKDATA, this);
        h.set(CURLOPT_PREREQFUNCTION, &on_send);
        h.set(CURLOPT_PREREQDATA, this);
    }

    /// Begins an attempt whose decoded body may have so many bytes.
    void begin(std::size_t max_body) noexcept {
        phase_ = phase::exchanging;
        abort_ = abort_reason::none;
        max_body_ = max_body;
        sends_ = 0;
        resent_ = false;
    }

    /// Prepares a hop. Keep `q` alive until the hop is over. Returns an error if the body can't be read.
    error begin_hop(const request& q) {
        request_ = &q;
        hop_sends_ = 0;
        error_text_[0] = '\0';
        download_.begin(max_body_);
        if (q.body.is_file() && !upload_.open(q.body.path()))
            return {errc::body_unreadable, "no regular file that can be read at " + std::string(q.body.path())};
        return {};
    }

    /// From now on only receives, and keeps nothing of it.
    void drain() noexcept {
        phase_ = phase::draining;
        download_.drop();
    }
    bool is_draining() const noexcept { return phase_ == phase::draining; }

    /// Forgets the attempt.
    void release() noexcept {
        phase_ = phase::idle;
        request_ = nullptr;
        upload_.close();
        download_.drop();
    }

    /// The size of the request's body, in bytes.
    curl_off_t body_size() const noexcept {
        const body& b = request_->body;
        return b.is_file() ? upload_.size() : static_cast<curl_off_t>(b.text().size());
    }

    download& received() noexcept { return download_; }
    std::size_t max_body() const noexcept { return max_body_; }
    const char* error_text() const noexcept { return error_text_; }

    /// How often the attempt's requests were put on the wire.
    int sends() const noexcept { return sends_; }
    sent was_sent() const noexcept { return sends_ > 0 ? sent::maybe : sent::no; }

    /// Whether the request of this hop was put on the wire.
    bool has_sent_hop() const noexcept { return hop_sends_ > 0; }

    /// Whether libcurl sent a request again, or tried to.
    bool met_dead_connection() const noexcept { return resent_ || abort_ == abort_reason::resend_forbidden; }

    /// Why a callback aborted the transfer that ended with `code`.
    abort_reason why_aborted(CURLcode code) const noexcept {
        // libcurl 7.88 reports a line over its own limit as a lack of memory. Delete this when r2 needs libcurl 8.6,
        // which has CURLE_TOO_LARGE.
        const bool line_too_long = code == CURLE_OUT_OF_MEMORY && sends_ > 0 && !download_.has_head();
        return abort_ == abort_reason::none && line_too_long ? abort_reason::head_too_large : abort_;
    }

private:
    enum class phase { idle, exchanging, draining };

    static exchange& self(void* data) noexcept { return *static_cast<exchange*>(data); }

    /// Notes why a callback aborts the transfer. The first reason counts.
    void set_abort(abort_reason r) noexcept {
        if (abort_ == abort_reason::none) abort_ = r;
    }

    /// Runs a callback's work. Aborts for `reason` if it returns false, and for lack of memory if it throws: nothing
    /// else is thrown here, and nothing may be thrown through libcurl's frames.
    template <class F> bool run(abort_reason reason, F f) noexcept {
        try {
            if (f()) return true;
            set_abort(reason);
        } catch (...) {
            set_abort(abort_reason::out_of_memory);
        }
        return false;
    }

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* me) noexcept {
        exchange& e = self(me);
        const std::string_view text(data, size * count);
        return e.run(abort_reason::head_too_large, [&] { return e.download_.line(text); }) ? text.size() : 0;
    }

    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* me) noexcept {
        exchange& e = self(me);
        const std::string_view text(data, size * count);
        const auto receive = [&] { return e.is_draining() ? e.download_.skip(text) : e.download_.append(text); };
        // A wrong number of bytes aborts. For no bytes, 0 would be right.
        return e.run(abort_reason::body_too_large, receive) ? text.size() : text.size() + 1;
    }

    static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* me) noexcept {
        const std::size_t got = self(me).upload_.read(to, size * count);
        if (got == CURL_READFUNC_ABORT) self(me).set_abort(abort_reason::body_unreadable);
        return got;
    }

    static int on_seek(void* me, curl_off_t offset, int from) noexcept { return self(me).upload_.seek(offset, from); }

    /// Runs just before each send. A second send without a response since the first is libcurl's resend: the reused
    /// connection was dead, and nobody knows how much of the request arrived.
    static int on_send(void* me, char*, char*, int, int) noexcept {
        exchange& e = self(me);
        if (e.is_draining()) return CURL_PREREQFUNC_ABORT;
        if (e.hop_sends_ > 0 && !e.download_.has_begun()) {
            if (e.resent_ || !is_idempotent(*e.request_)) {
                e.set_abort(abort_reason::resend_forbidden);
                return CURL_PREREQFUNC_ABORT;
            }
            e.resent_ = true;
        }
        e.download_.expect_another();
        ++e.hop_sends_;
        ++e.sends_;
        return CURL_PREREQFUNC_OK;
    }

    const request* request_ = nullptr;
    upload upload_;
    download download_;
    char error_text_[CURL_ERROR_SIZE] = {};
    std::size_t max_body_ = 0;
    phase phase_ = phase::idle;
    abort_reason abort_ = abort_reason::none;
    int sends_ = 0;
    int hop_sends_ = 0;
    bool resent_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
