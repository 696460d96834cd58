#pragma once

#include <string>

#include "r2/words/headers.hpp"

namespace r2::inline v0_2 {

/// A complete answer: a plain value, from which anything may be moved.
struct response {
    int status = 0;            ///< From 200 on, as the server says; 1xx is no response.
    r2::headers headers = {};  ///< Of the final answer, without trailers.
    std::string body = {};     ///< Decoded, whatever its Content-Encoding was.
    std::string url = {};      ///< Where it came from: after redirects, without credentials.
};

}  // namespace r2::inline v0_2
