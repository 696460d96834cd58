#pragma once

#include <unistd.h>

#include "r2/testing/descriptor.hpp"

namespace r2::inline v0_2::testing::detail {

R2_INLINE descriptor::~descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace r2::inline v0_2::testing::detail
