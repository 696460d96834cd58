#pragma once

#include "r2/curl/check_url.hpp"
#include "r2/curl/url.hpp"

namespace r2::inline v0_2::detail {

R2_INLINE error check_url(const std::string& url) { return curl::url().parse(url); }

}  // namespace r2::inline v0_2::detail
