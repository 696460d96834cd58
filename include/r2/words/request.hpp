#pragma once

#include <string>
#include <string_view>

#include "r2/words/body.hpp"
#include "r2/words/headers.hpp"

namespace r2::inline v0_2 {

/// A request: a plain value.
struct request {
    std::string method = "GET";  ///< Sent as it is: methods are case-sensitive (RFC 9110, 9.1).
    std::string url = {};        ///< Absolute, with `http://` or `https://`.
    r2::headers headers = {};
    r2::body body = {};
};

namespace detail {

/// RFC 9110, 9.2.2.
inline bool is_idempotent_method(std::string_view method) noexcept {
    for (const std::string_view each : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        if (method == each) return true;
    return false;
}

/// Whether the server treats a second copy of `q` as the first: by its method, or by its Idempotency-Key.
inline bool is_idempotent(const request& q) noexcept {
    return is_idempotent_method(q.method) || q.headers.contains("Idempotency-Key");
}

}  // namespace detail

}  // namespace r2::inline v0_2
