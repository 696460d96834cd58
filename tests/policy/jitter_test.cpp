#include "r2/policy/jitter.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

TEST(jitter, spreads_as_its_name_says) {
    constexpr double nearly = 0.999999999;
    static_assert(r2::jitter::none().apply(10s, 1s, 0.7) == 10s);
    static_assert(r2::jitter::full().apply(10s, 1s, 0.25) == 2500ms);
    static_assert(r2::jitter::full().apply(10s, 1s, 0) == 0s);
    static_assert(r2::jitter::equal().apply(10s, 1s, 0) == 5s);
    static_assert(r2::jitter::equal().apply(10s, 1s, 0.5) == 7500ms);
    static_assert(r2::jitter::proportional(0.5).apply(10s, 1s, 0) == 5s);
    static_assert(r2::jitter::proportional(0.5).apply(10s, 1s, 0.5) == 10s);
    static_assert(r2::jitter::decorrelated(1s, 20s).apply(10s, 4s, 0) == 1s);
    static_assert(r2::jitter::decorrelated(1s, 20s).apply(10s, 4s, 0.5) == 6500ms);
    static_assert(r2::jitter::decorrelated(1s, 20s).apply(10s, 20s, nearly) == 20s);
    EXPECT_LT(r2::jitter::full().apply(10s, 1s, nearly), 10s + 1ns);
    EXPECT_EQ(r2::jitter::full().apply(1ns, 0s, 0.75), 1ns);
    EXPECT_EQ(r2::jitter::full().apply(1ns, 0s, 0.25), 0ns);
    EXPECT_EQ(r2::jitter::full().apply(r2::duration::max(), {}, 0.999999999999999),
              r2::jitter::full().apply(r2::duration::max(), {}, 0.999999999999999));
    EXPECT_GT(r2::jitter::proportional(1).apply(r2::duration::max(), {}, nearly), 0s);
}

}  // namespace
