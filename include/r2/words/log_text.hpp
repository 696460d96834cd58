#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "r2/words/headers.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Returns a URL for a log: without credentials and fragment, and with "?…" for a query. A part that may contain
/// credentials is "…".
inline std::string redacted(std::string_view url) {
    const std::size_t colon = std::min(url.find(':'), url.size());
    const std::string_view scheme = url.substr(0, colon);
    if (!same_name(scheme, "http") && !same_name(scheme, "https")) return url.empty() ? "" : "…";
    url.remove_prefix(std::min(url.find_first_not_of('/', colon + 1), url.size()));  // libcurl takes 1 to 3 slashes

    std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    url.remove_prefix(authority.size());
    authority.remove_prefix(authority.rfind('@') + 1);  // npos + 1 is 0
    const std::size_t name_end = authority.starts_with('[') ? authority.find(']') : 0;
    const std::size_t port = authority.find(':', name_end);
    const bool is_host = name_end != std::string_view::npos &&
                         (port == std::string_view::npos ||
                          authority.find_first_not_of("0123456789", port + 1) == std::string_view::npos);

    std::string shown = std::string(scheme) + "://";
    if (!is_host) return shown + "…";  // in "user:pass/word@host" the host is "user" (RFC 3986, 3.2)
    const std::size_t path_end = std::min(url.find_first_of("?#"), url.size());
    shown.append(authority).append(url.substr(0, path_end));
    return url.substr(path_end).starts_with('?') ? shown + "?…" : shown;
}

/// Returns the size of the first character in bytes, or 0 if `text` doesn't begin with valid UTF-8 (RFC 3629, 4).
constexpr std::size_t character_size(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t size = first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    // E0 and F0 reject overlong forms, ED surrogates, F4 code points over U+10FFFF.
    const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < size; ++i)
        if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    return size;
}

/// Counts the characters of valid UTF-8.
constexpr std::size_t character_count(std::string_view text) noexcept {
    std::size_t n = 0;
    for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
    return n;
}

/// Returns valid UTF-8 without control characters, which could forge log lines or control a terminal. Puts a backslash
/// before each of `marks`.
inline std::string escaped(std::string_view text, std::string_view marks = {}) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    for (std::size_t size = 0; !text.empty(); text.remove_prefix(std::max(size, std::size_t{1}))) {
        size = character_size(text);
        if (size == 0) {
            out += "\xEF\xBF\xBD";  // U+FFFD
            continue;
        }
        const std::string_view character = text.substr(0, size);
        const auto last = static_cast<unsigned char>(character.back());
        if (size == 1 ? last < 0x20 || last == 0x7F : character[0] == '\xC2' && last < 0xA0)
            out.append("\\u00") += {hex[last >> 4U], hex[last & 0xFU]};
        else
            out.append(size == 1 && marks.find(character) < marks.size() ? "\\" : "").append(character);
    }
    return out;
}

inline std::string quoted(std::string_view text) { return '"' + escaped(text, "\"\\") + '"'; }

/// Pads with leading zeros.
inline std::string padded(long long number, std::size_t width) {
    const std::string digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
}

/// Formats seconds as a JSON number, exactly and in any locale.
inline std::string seconds(duration d) {
    std::string number = std::to_string(d.count() / 1'000'000'000) + '.' + padded(d.count() % 1'000'000'000, 9);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
    return number;
}

}  // namespace r2::inline v0_2::detail
