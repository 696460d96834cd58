#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "r2/words/headers.hpp"

namespace r2::inline v0_2::detail {

/// Returns the scheme, host and port of a URL (RFC 6454, 4), without credentials. The view is of `url` if the origin
/// stands there in its usual form, else of `scratch`. Expects an http or https URL.
inline std::string_view origin_of(std::string_view url, std::string& scratch) {
    const std::size_t colon = url.find(':');
    if (colon == std::string_view::npos) return {};
    const std::size_t begin =
        std::min(url.find_first_not_of('/', colon + 1), url.size());  // libcurl takes 1 to 3 slashes
    const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
    std::string_view authority = url.substr(begin, end - begin);
    const std::size_t credentials = authority.rfind('@');
    const bool https = colon == 5;  // the other scheme has 4 letters
    const std::string_view usual_port = https ? ":443" : ":80";
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const std::string_view whole = url.substr(0, end);
    if (begin == colon + 3 && credentials == std::string_view::npos && !authority.ends_with(usual_port) &&
        !authority.ends_with(':') && std::none_of(whole.begin(), whole.end(), is_upper))
        return whole;

    if (credentials != std::string_view::npos) authority.remove_prefix(credentials + 1);
    if (authority.ends_with(usual_port)) authority.remove_suffix(usual_port.size());
    if (authority.ends_with(':')) authority.remove_suffix(1);
    scratch.assign(url.substr(0, colon)).append("://").append(authority);
    std::transform(scratch.begin(), scratch.end(), scratch.begin(), lower);
    return scratch;
}

}  // namespace r2::inline v0_2::detail
