#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "r2/words/error.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

/// The limit on the bytes of a request's URL and header fields together.
inline constexpr std::size_t max_request_head = 256U << 10;

/// Whether `text` can be a method or a field's name (RFC 9110, 5.6.2).
constexpr bool is_token(std::string_view text) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    for (const char c : text) {
        const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alphanumeric && marks.find(c) == std::string_view::npos) return false;
    }
    return !text.empty();
}

constexpr bool has_line_break(std::string_view value) noexcept {
    return value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

inline error bad_header(std::string_view name, std::string_view value, std::size_t position, const request& q) {
    if (!is_token(name))
        return {errc::invalid_request,
                "the name of header " + std::to_string(position) + " is empty or has a character that isn't allowed"};
    if (has_line_break(value)) return {errc::invalid_request, std::string(name) + " has CR, LF or NUL in its value"};
    if (same_name(name, "Transfer-Encoding"))
        return {errc::invalid_request, "leave Transfer-Encoding out: r2 chooses it for the body"};
    if (same_name(name, "Content-Length") && (q.body.is_file() || value != std::to_string(q.body.text().size())))
        return {errc::invalid_request, "leave Content-Length out: r2 computes it from the body"};
    return {};
}

inline error bad_url(std::string_view url) {
    if (url.empty()) return {errc::invalid_request, "the URL is empty"};
    for (std::size_t i = 0; i < url.size(); ++i) {
        if (static_cast<unsigned char>(url[i]) > ' ' && url[i] != '\x7f') continue;
        return {errc::invalid_request, std::string("the URL has a ") + (url[i] == ' ' ? "space" : "control byte") +
                                           " at position " + std::to_string(i)};
    }
    return {};
}

/// Returns an error if the request can't be sent. The message quotes no values.
inline error check(const request& q) {
    const std::string_view method = q.method;
    if (!is_token(method))
        return {errc::invalid_request,
                method.empty() ? "the method is empty" : "the method has a character that isn't allowed"};
    if (method == "CONNECT")
        return {errc::invalid_request, "the method CONNECT isn't supported: client_options::proxy sets a proxy"};
    if (method == "HEAD" && !q.body.empty()) return {errc::invalid_request, "a HEAD request has no body"};
    if (error wrong = bad_url(q.url)) return wrong;

    std::size_t bytes = q.url.size(), position = 0;
    for (const auto& [name, value] : q.headers) {
        ++position;
        bytes += name.size() + value.size() + 4;  // ": " and CR LF
        if (error bad = bad_header(name, value, position, q)) return bad;
    }
    if (bytes > max_request_head)
        return {errc::invalid_request, "the URL and the headers are " + std::to_string(bytes) +
                                           " bytes, over the limit of " + std::to_string(max_request_head)};
    return {};
}

}  // namespace r2::inline v0_2::detail
