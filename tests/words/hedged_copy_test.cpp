#include "r2/words/hedged_copy.hpp"

#include <gtest/gtest.h>

namespace {

TEST(fate, has_3_names) {
    using fate = r2::hedged_copy::fate;
    EXPECT_EQ(to_string(fate::won), "won");
    EXPECT_EQ(to_string(fate::failed), "failed");
    EXPECT_EQ(to_string(fate::lost), "lost");
    EXPECT_EQ(to_string(static_cast<fate>(1000)), "unknown");
}

}  // namespace
