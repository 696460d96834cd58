#include "r2/words/table.hpp"

#include <gtest/gtest.h>

namespace {

TEST(table, has_columns_2_spaces_apart) {
    EXPECT_EQ(r2::detail::table<3>({{"a", "bcd", "e"}, {"ü", "", "fg"}, {"long", "h", ""}}),
              "a     bcd  e\n"
              "ü          fg\n"
              "long  h    \n");
    EXPECT_EQ(r2::detail::table<2>({}), "");
}

}  // namespace
