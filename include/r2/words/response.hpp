#pragma once

#include <string>

#include "r2/words/headers.hpp"

namespace r2::inline v0_2 {

/// A complete response: a plain value. Its fields may be moved from.
struct response {
    int status = 0;            ///< At least 200: 1xx responses are skipped.
    r2::headers headers = {};  ///< Of the final response, without trailers.
    std::string body = {};     ///< Decoded from its Content-Encoding.
    std::string url = {};      ///< The URL after redirects, without credentials.
};

}  // namespace r2::inline v0_2
