#include "r2/curl/descriptor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/leftovers.hpp"

namespace {

using r2::detail::curl::descriptor;

TEST(descriptor, is_open_while_it_lives_and_0_are_left) {
    const std::size_t before = r2::testkit::open_descriptors();
    {
        const descriptor d(::dup(0));
        EXPECT_GE(d, 0);
        EXPECT_EQ(r2::testkit::open_descriptors(), before + 1);
    }
    EXPECT_EQ(r2::testkit::open_descriptors(), before);
}

TEST(descriptor, of_minus_1_is_none) {
    const descriptor none(-1);
    EXPECT_LT(none, 0);
}

}  // namespace
