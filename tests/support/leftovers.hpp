#pragma once

#include <gtest/gtest.h>

#include <cstddef>

namespace r2::testkit {

/// Counts the memory blocks that this process has allocated and not freed. A program that uses this gets a malloc that
/// counts. Always 0 under a sanitizer, which has its own malloc and finds leaks.
std::size_t live_blocks();

/// Counts the open descriptors of this process.
std::size_t open_descriptors();

/// Fails the test if `run` leaves memory or descriptors behind on every run. A library may keep memory from its first
/// use on, or free it only on every second run, as with the stacks of ended threads. So `run` runs up to 6 times, and
/// the counts only have to return once to those of one or two runs before.
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
