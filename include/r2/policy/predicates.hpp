#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/policy/predicate.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// A predicate on the response. False without a response.
template <class F> struct of_response : predicate_base {
    F f;
    constexpr explicit of_response(F on_response) : f(std::move(on_response)) {}
    constexpr bool operator()(const response& res) const { return f(res); }
    constexpr bool operator()(const attempt& a) const { return a.response() && f(*a.response()); }
};

struct transient_t : predicate_base {
    constexpr bool operator()(const response& res) const noexcept { return res.status == 429 || res.status >= 500; }
    bool operator()(const attempt& a) const noexcept {
        return a.response() ? (*this)(*a.response()) : a.error().transient();
    }
};

}  // namespace detail

/// True for a failure that may pass: status 429 or from 500 on; the errors resolve, connect, timeout, disconnected and
/// failed; tls if the connection broke in the handshake; protocol unless the body can't be decoded.
inline constexpr detail::transient_t transient;

/// True if the response has this status.
constexpr auto status_is(int status) {
    return detail::of_response([status](const response& res) { return res.status == status; });
}

/// True if the response has a status from `first` to `last`, both included.
constexpr auto status_between(int first, int last) {
    return detail::of_response([=](const response& res) { return first <= res.status && res.status <= last; });
}

/// True if the response has one of these statuses.
inline auto status_in(std::initializer_list<int> statuses) {
    return detail::of_response([all = std::vector<int>(statuses)](const response& res) {
        return std::find(all.begin(), all.end(), res.status) != all.end();
    });
}

/// True if the response has a status from 500 on that isn't one of these: `server_error_but({501})`.
inline auto server_error_but(std::initializer_list<int> statuses) {
    return detail::of_response([all = std::vector<int>(statuses)](const response& res) {
        return res.status >= 500 && std::find(all.begin(), all.end(), res.status) == all.end();
    });
}

/// True if the response has a field of this name with exactly this value.
inline auto header_is(std::string name, std::string value) {
    return detail::of_response([name = std::move(name), value = std::move(value)](const response& res) {
        for (const std::string_view one : res.headers.get_all(name))
            if (one == value) return true;
        return false;
    });
}

/// True if the response's decoded body contains this text.
inline auto body_contains(std::string text) {
    return detail::of_response(
        [text = std::move(text)](const response& res) { return res.body.find(text) != std::string::npos; });
}

namespace detail {

/// Whether the attempt got a response with a status below 400.
inline bool is_success(const attempt& a) noexcept { return a.response() && a.response()->status < 400; }

struct failed_with_t : predicate_base {
    errc kind;
    constexpr explicit failed_with_t(errc k) : kind(k) {}
    bool operator()(const attempt& a) const noexcept { return a.error() == kind; }
};

}  // namespace detail

/// True if the attempt failed with this error.
constexpr auto failed_with(errc kind) { return detail::failed_with_t(kind); }

}  // namespace r2::inline v0_2
