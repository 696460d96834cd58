#pragma once

#include <string>

#include "r2/config.hpp"
#include "r2/words/error.hpp"

namespace r2::inline v0_2::detail {

/// Returns an error if libcurl rejects this URL. For other transports than libcurl's.
error check_url(const std::string& url);

}  // namespace r2::inline v0_2::detail

#ifndef R2_COMPILED
#include "r2/curl/check_url.ipp"
#endif
