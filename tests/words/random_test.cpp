#include "r2/words/random.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

TEST(fresh_key, is_1000_times_another_uuid) {
    std::set<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
        const std::string key = r2::fresh_key();
        ASSERT_EQ(key.size(), 36U);
        EXPECT_EQ(key[14], '4');
        EXPECT_NE(std::string("89ab").find(key[19]), std::string::npos) << key;
        EXPECT_EQ(key.find_first_not_of("0123456789abcdef-"), std::string::npos) << key;
        keys.insert(key);
    }
    EXPECT_EQ(keys.size(), 1000U);
}

TEST(chance, is_in_the_unit_interval_and_spread_over_it) {
    r2::detail::splitmix64 chance(42);
    int low = 0;
    for (int i = 0; i < 10'000; ++i) {
        const double u = chance.unit();
        ASSERT_TRUE(0 <= u && u < 1);
        low += u < 0.25;
    }
    EXPECT_NEAR(low, 2500, 200);
}

}  // namespace
