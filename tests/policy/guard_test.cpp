#include "r2/policy/guard.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

TEST(admission, goes_waits_or_refuses) {
    EXPECT_FALSE(r2::admission(r2::admission::go).refused());
    EXPECT_EQ(r2::admission::go().wait(), 0s);
    EXPECT_EQ(r2::admission::wait(3s).wait(), 3s);
    EXPECT_EQ(r2::admission::refuse("no").reason(), "no");
}

}  // namespace
