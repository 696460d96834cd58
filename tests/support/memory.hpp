#pragma once

#include <cstddef>

namespace r2::testkit {

/// Blocks of memory that this process has not given back, by whomever allocated. A program that uses this has a malloc
/// of its own, which counts. Always 0 under a sanitizer, which has its own and finds leaks by itself.
std::size_t live_blocks();

/// Descriptors that this process has open.
std::size_t open_descriptors();

}  // namespace r2::testkit
