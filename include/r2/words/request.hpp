#pragma once

#include <string>
#include <string_view>

#include "r2/words/body.hpp"
#include "r2/words/headers.hpp"

namespace r2::inline v0_2 {

/// What is asked of a server: a plain value.
struct request {
    std::string method = "GET";  ///< A token, sent as it is: methods are case-sensitive (RFC 9110, 9.1).
    std::string url = {};        ///< Absolute, with `http://` or `https://`.
    r2::headers headers = {};
    r2::body body = {};
};

/// RFC 9110, 9.2.2.
inline bool is_idempotent_method(std::string_view method) noexcept {
    for (const std::string_view each : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        if (method == each) return true;
    return false;
}

/// Whether sending `q` twice does no more than sending it once: its method says so, or an Idempotency-Key by which the
/// server can tell.
inline bool is_idempotent(const request& q) noexcept {
    return is_idempotent_method(q.method) || q.headers.contains("Idempotency-Key");
}

}  // namespace r2::inline v0_2
