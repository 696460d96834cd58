#pragma once

#include <string>

#include "r2/config.hpp"
#include "r2/words/error.hpp"

namespace r2::inline v0_2::detail {

/// What libcurl says against this URL; false where it can be sent to. For transports other than libcurl's.
error check_url(const std::string& url);

}  // namespace r2::inline v0_2::detail

#ifndef R2_COMPILED
#include "r2/curl/check_url.ipp"
#endif
