#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "r2/words/headers.hpp"

namespace r2::inline v0_2::testing {

/// Computes the 64-bit FNV-1a hash. Pass an earlier result to continue it.
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325U) {
    for (const char c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3U;
    }
    return hash;
}

/// One request as the server read it.
struct recorded_request {
    std::string method = {};
    std::string target = {};              ///< Path and query.
    std::string head = {};                ///< Request line and fields as received, without the blank line after them.
    r2::headers headers = {};             ///< The fields of the head, in their order.
    std::string body = {};                ///< Decoded if it came chunked; empty with `server::keep_bodies(false)`.
    std::uint64_t body_size = 0;          ///< Bytes of the decoded body, kept or not.
    std::uint64_t body_hash = fnv1a("");  ///< Over the decoded body, kept or not.
    int connection = 0;                   ///< The number of its connection, from 1, in the order of acceptance.
    bool complete = false;                ///< False if the body was not read to its announced end.
};

}  // namespace r2::inline v0_2::testing
