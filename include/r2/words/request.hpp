#pragma once

#include <string>
#include <string_view>

#include "r2/words/body.hpp"
#include "r2/words/headers.hpp"

namespace r2 {

/// What is asked of a server: a plain value.
struct request {
    std::string method = "GET";  ///< A token, sent as it is: methods are case-sensitive (RFC 9110, 9.1).
    std::string url = {};        ///< Absolute, with `http://` or `https://`.
    r2::headers headers = {};
    r2::body body = {};
};

/// Whether sending `q` twice does no more than sending it once: its method says so (RFC 9110, 9.2.2), or an
/// Idempotency-Key by which the server can tell.
inline bool is_idempotent(const request& q) noexcept {
    for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        if (std::string_view(q.method) == method) return true;
    return q.headers.contains("Idempotency-Key");
}

}  // namespace r2
