#pragma once

#include <exception>
#include <iosfwd>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "r2/words/print.hpp"

namespace r2::inline v0_2 {

/// The reason why an attempt got no response. A std::error_condition enum.
enum class errc {
    invalid_request = 1,  ///< The method, URL, a header or an option is unusable: nothing was sent.
    resolve,              ///< The host or the proxy has no address.
    connect,              ///< The host or the proxy accepts no connection.
    tls,                  ///< The TLS handshake broke, or the peer's certificate failed verification.
    timeout,              ///< `timeout`, `deadline` or `connect_timeout` passed.
    disconnected,         ///< The connection ended during the exchange.
    protocol,             ///< The response violates HTTP.
    too_large,            ///< The body is over `max_body`, or the head over 256 KiB.
    too_many_redirects,   ///< There were more than `max_redirects`.
    body_unreadable,      ///< The request's file can't be read.
    stopped,              ///< `stop` was requested.
    refused,              ///< A guard refused the attempt.
    local,                ///< This machine lacks memory or files, or is misconfigured.
    failed,               ///< The callable of `retry` threw or returned an error.
};

/// Whether any byte of the request may have left this machine.
enum class sent {
    no,     ///< No byte left: safe to repeat.
    maybe,  ///< Some or all did: the server may have acted on it.
};

constexpr std::string_view to_string(errc e) noexcept {
    switch (e) {
        case errc::invalid_request:
            return "invalid request";
        case errc::resolve:
            return "could not resolve";
        case errc::connect:
            return "could not connect";
        case errc::tls:
            return "no secure connection";
        case errc::timeout:
            return "timeout";
        case errc::disconnected:
            return "disconnected";
        case errc::protocol:
            return "protocol error";
        case errc::too_large:
            return "response too large";
        case errc::too_many_redirects:
            return "too many redirects";
        case errc::body_unreadable:
            return "request body unreadable";
        case errc::stopped:
            return "stopped";
        case errc::refused:
            return "refused";
        case errc::local:
            return "local failure";
        case errc::failed:
            return "failed";
    }
    return "no error";
}

constexpr std::string_view to_string(sent s) noexcept {
    switch (s) {
        case sent::no:
            return "no";
        case sent::maybe:
            return "maybe";
    }
    return "unknown";
}

namespace detail {

/// The category of r2's error codes and of the `errc` conditions.
class r2_category_t final : public std::error_category {
public:
    const char* name() const noexcept override { return "r2"; }
    std::string message(int e) const override { return std::string(to_string(static_cast<errc>(e))); }

    // errc::timeout and errc::stopped have standard equivalents.
    bool equivalent(int e, const std::error_condition& c) const noexcept override {
        if (c == std::errc::timed_out) return e == static_cast<int>(errc::timeout);
        if (c == std::errc::operation_canceled) return e == static_cast<int>(errc::stopped);
        return std::error_category::equivalent(e, c);
    }
    using std::error_category::equivalent;
};

inline const r2_category_t& r2_category() noexcept {
    static const r2_category_t category;
    return category;
}

}  // namespace detail

inline std::error_condition make_error_condition(errc e) noexcept {
    return {static_cast<int>(e), detail::r2_category()};
}

/// The error of an attempt: its kind, its message, and `sent()`. False if there is none.
class error {
public:
    error() = default;

    /// `detail` completes the message. It must not contain secrets.
    error(errc kind, std::string detail = {}, r2::sent sent = r2::sent::no)
        : error(kind, {static_cast<int>(kind), detail::r2_category()}, std::move(detail), sent,
                usually_transient(kind)) {}

    /// Wraps the code of a lower layer. `transient`: whether the same request may succeed later.
    error(errc kind, std::error_code code, std::string detail, r2::sent sent, bool transient)
        : kind_(kind), sent_(sent), transient_(transient), code_(code), detail_(std::move(detail)) {}

    /// Wraps an exception that the callable of `retry` threw. `transient`: whether another call may succeed.
    error(std::exception_ptr thrown, std::string detail, bool transient)
        : error(errc::failed, {static_cast<int>(errc::failed), detail::r2_category()}, std::move(detail), r2::sent::no,
                transient) {
        exception_ = std::move(thrown);
    }

    /// True if this is an error.
    explicit operator bool() const noexcept { return kind_ != errc{}; }

    /// Returns libcurl's CURLcode in the category "curl", or r2's code in the category "r2".
    std::error_code code() const noexcept { return code_; }

    /// Describes the error for people. Contains no credentials, cookies or bodies.
    std::string message() const {
        std::string text(to_string(kind_));
        if (!detail_.empty()) text.append(": ").append(detail_);
        return text;
    }

    /// Returns the `errc`, or `errc{}` if there is no error.
    errc kind() const noexcept { return kind_; }

    /// Returns whether any byte of the request may have left this machine.
    r2::sent sent() const noexcept { return sent_; }

    /// Returns a copy with another `sent()`.
    error with(r2::sent s) const {
        error e = *this;
        e.sent_ = s;
        return e;
    }

    /// Whether the same request may succeed later. The predicate `transient` uses this.
    bool transient() const noexcept { return transient_; }

    /// Returns the exception that the callable of `retry` threw, or null.
    std::exception_ptr exception() const noexcept { return exception_; }

    friend bool operator==(const error& e, errc kind) noexcept { return e.kind_ == kind; }

    /// True for the `errc` and its std::errc equivalent, such as std::errc::timed_out.
    friend bool operator==(const error& e, const std::error_condition& c) noexcept {
        return e && detail::r2_category().equivalent(static_cast<int>(e.kind_), c);
    }
    friend bool operator==(const error& e, std::errc c) noexcept { return e == std::make_error_condition(c); }

    /// Writes the message.
    template <class Traits>
    friend std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const error& e) {
        return out << e.message();
    }

private:
    static constexpr bool usually_transient(errc kind) noexcept {
        return kind == errc::resolve || kind == errc::connect || kind == errc::timeout || kind == errc::disconnected ||
               kind == errc::protocol || kind == errc::failed;
    }

    errc kind_ = {};
    r2::sent sent_ = r2::sent::no;
    bool transient_ = false;
    std::error_code code_;
    std::string detail_;
    std::exception_ptr exception_;
};

}  // namespace r2::inline v0_2

template <> struct std::is_error_condition_enum<r2::errc> : std::true_type {};
