#pragma once

#include <gtest/gtest.h>

#include <cstddef>

namespace r2::testkit {

/// Blocks of memory that this process has not given back, by whomever allocated. A program that uses this has a malloc
/// of its own, which counts. Always 0 under a sanitizer, which has its own and finds leaks by itself.
std::size_t live_blocks();

/// Descriptors that this process has open.
std::size_t open_descriptors();

/// Fails the test where `run` leaves memory or descriptors behind, each time that it runs: what libraries keep from the
/// first time on isn't left again, and no thread is still on its way out each time.
template <class F> void expect_nothing_left_by(F run) {
    std::size_t blocks = 1, descriptors = 1;
    for (int i = 0; i < 6 && (blocks > 0 || descriptors > 0) && !::testing::Test::HasFailure(); ++i) {
        const std::size_t blocks_before = live_blocks(), descriptors_before = open_descriptors();
        run();
        blocks = live_blocks() - blocks_before;
        descriptors = open_descriptors() - descriptors_before;
    }
    EXPECT_EQ(blocks, 0U) << "blocks of memory left behind";
    EXPECT_EQ(descriptors, 0U);
}

}  // namespace r2::testkit
