#pragma once

#ifdef __linux__
#include "r2/curl/epoll_readiness.hpp"
#else
#include "r2/curl/poll_readiness.hpp"
#endif

namespace r2::inline v0_2::detail::curl {

#ifdef __linux__
using readiness = epoll_readiness;
#else
using readiness = poll_readiness;
#endif

}  // namespace r2::inline v0_2::detail::curl
