#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/words/headers.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

/// True for a status whose Location is to be followed (RFC 9110, 15.4): not for 300 and 304.
constexpr bool is_redirect(int status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// The header fields that are always credentials. A client may add more.
inline constexpr std::string_view credential_headers[] = {"Authorization", "Proxy-Authorization", "Cookie"};

/// Makes the request that follows `q` to `url`. 303 turns all methods but HEAD into GET; 301 and 302 turn POST into
/// GET. Such a GET has no body and no header fields about one. Another origin gets neither credentials nor the old
/// Host.
inline request redirected(request q, int status, std::string url, bool same_origin,
                          const std::vector<std::string>& secret_headers) {
    q.url = std::move(url);
    if (status == 303 ? q.method != "HEAD" : (status == 301 || status == 302) && q.method == "POST") {
        q.method = "GET";
        q.body = {};
        q.headers.erase("Expect");
        q.headers.erase_if(
            [](std::string_view name, std::string_view) { return same_name(name.substr(0, 8), "Content-"); });
    }
    if (!same_origin) {
        q.headers.erase("Host");
        for (const std::string_view name : credential_headers) q.headers.erase(name);
        for (const std::string& name : secret_headers) q.headers.erase(name);
    }
    return q;
}

}  // namespace r2::inline v0_2::detail
