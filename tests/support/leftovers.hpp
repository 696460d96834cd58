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
/// first time on isn't left again, what they keep every other time (as what belongs to the stacks of threads that have
/// ended) is gone after two, and no thread is still on its way out each time.
template <class F> void expect_nothing_left_by(F run) {
    struct level {
        std::size_t blocks = live_blocks(), descriptors = open_descriptors();
    };
    level before_last, before, now;
    const auto is_back = [&] {
        return (now.blocks == before.blocks || now.blocks == before_last.blocks) &&
               now.descriptors == before.descriptors;
    };
    for (int i = 0; i < 6 && (i == 0 || !is_back()) && !::testing::Test::HasFailure(); ++i) {
        before_last = i < 2 ? level() : before;
        before = level();
        run();
        now = level();
    }
    if (is_back()) return;
    EXPECT_EQ(now.blocks, before.blocks) << "blocks of memory left behind";
    EXPECT_EQ(now.descriptors, before.descriptors);
}

}  // namespace r2::testkit
