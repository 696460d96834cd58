#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "r2/words/headers.hpp"

namespace r2::testing {

namespace detail {

inline std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// In a head as it was received.
inline std::optional<std::string_view> find_field(std::string_view head, std::string_view name) {
    for (auto line_end = head.find('\n'); line_end != head.npos; line_end = head.find('\n')) {
        head.remove_prefix(line_end + 1);
        const std::string_view line = head.substr(0, head.find('\n'));
        const auto colon = line.find(':');
        if (colon != line.npos && r2::detail::same_name(line.substr(0, colon), name))
            return trimmed(line.substr(colon + 1));
    }
    return std::nullopt;
}

}  // namespace detail

/// Hashes by FNV-1a with 64 bits; pass an earlier result to go on.
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325U) {
    for (const char c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3U;
    }
    return hash;
}

/// Holds one request as the server read it.
struct recorded_request {
    std::string method = {};
    std::string target = {};              ///< Path and query.
    std::string head = {};                ///< Request line and fields as received, without the blank line after them.
    std::string body = {};                ///< Decoded if it came chunked; empty with `server::keep_bodies(false)`.
    std::uint64_t body_size = 0;          ///< Bytes of the decoded body, kept or not.
    std::uint64_t body_hash = fnv1a("");  ///< Over the decoded body, kept or not.
    int connection = 0;                   ///< Which one it came on: from 1, in the order of acceptance.
    bool complete = false;                ///< False if the body did not come, or was not read, to its announced end.

    /// Returns the first field of that name in any case, "" if there is none.
    std::string header(std::string_view name) const { return std::string(detail::find_field(head, name).value_or("")); }

    /// Says whether there is a field of that name in any case.
    bool has(std::string_view name) const { return detail::find_field(head, name).has_value(); }
};

}  // namespace r2::testing
