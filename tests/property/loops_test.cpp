#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "property/cases.hpp"
#include "property/consumer.hpp"

namespace r2::property {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

void compare(std::uint64_t seed) {
    static course expected, seen;
    const loop_case c = case_maker(seed).make();
    expected.clear();
    seen.clear();
    {
        model_side m(c, expected);
        consume(c, m, expected);
    }
    {
        real_side r(c, seen);
        consume(c, r, seen);
        EXPECT_FALSE(r.told_secret()) << seed;
    }
    if (expected == seen && !std::getenv("R2_SEED")) return;
    EXPECT_TRUE(expected == seen) << "seed " << seed;
    for (size_t i = 0; i < std::max(expected.size(), seen.size()); ++i) {
        bool same = i < expected.size() && i < seen.size() && expected[i] == seen[i];
        std::cout << (same ? "   " : "!! ") << (i < expected.size() ? to_string(expected[i]) : "-");
        if (!same) std::cout << "\n      real: " << (i < seen.size() ? to_string(seen[i]) : "-");
        std::cout << '\n';
    }
}

TEST(loops, a_million_loops_agree_with_the_rules_as_written) {
    if (const auto seed = from_environment("R2_SEED", 0)) return compare(seed);
    const auto first = from_environment("R2_FIRST_SEED", 1);
    const auto loops = from_environment("R2_LOOPS", 1000000);
    int failures = 0;
    for (auto seed = first; seed < first + loops && failures < 5; ++seed) {
        compare(seed);
        failures = ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    }
}

}  // namespace
}  // namespace r2::property
