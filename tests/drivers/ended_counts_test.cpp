#include <gtest/gtest.h>

#include <r2/drivers/ended_counts.hpp>

namespace {

using r2::ended;
using r2::detail::ended_counts;

TEST(ended_counts, counts_2_reasons_and_prints_them_in_the_order_of_the_enumerators) {
    ended_counts counts;
    EXPECT_EQ(counts.text(), "");
    EXPECT_EQ(counts.of(ended::exhausted), 0U);
    counts.add(ended::exhausted);
    counts.add(ended::condition_met);
    counts.add(ended::condition_met);
    EXPECT_EQ(counts.of(ended::condition_met), 2U);
    EXPECT_EQ(counts.of(ended::exhausted), 1U);
    EXPECT_EQ(counts.of(ended::succeeded), 0U);
    EXPECT_EQ(counts.text(), "condition_met 2, exhausted 1");
}

TEST(ended_counts, takes_an_enumerator_that_it_has_never_heard_of) {
    ended_counts counts;
    counts.add(static_cast<ended>(1000));
    counts.add(ended::threw);
    EXPECT_EQ(counts.of(static_cast<ended>(1000)), 1U);
    EXPECT_EQ(counts.of(ended::threw), 1U);
}

}  // namespace
