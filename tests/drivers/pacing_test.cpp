#include <gtest/gtest.h>

#include <cstddef>

#include <r2/drivers/pacing.hpp>

namespace {

using r2::detail::pacing;

/// The starts that are free now.
std::size_t starts(pacing p) {
    std::size_t n = 0;
    for (; p.may_start(); p.started()) ++n;
    return n;
}

TEST(pacing, begins_with_a_burst_of_16_and_gives_another_with_each_question_to_the_transport) {
    pacing p;
    EXPECT_EQ(starts(p), 16U);
    for (int i = 0; i < 16; ++i) p.started();
    EXPECT_FALSE(p.may_start());
    p.asked();
    EXPECT_EQ(starts(p), 16U);
}

TEST(pacing, lets_2_start_after_each_completion_with_fewer_than_128_in_flight) {
    for (const std::size_t in_flight : {0, 1, 64, 127}) {
        pacing p;
        p.completed(in_flight);
        EXPECT_EQ(starts(p), 2U) << in_flight;
        p.completed(in_flight);
        EXPECT_EQ(starts(p), 2U) << in_flight;
    }
}

TEST(pacing, holds_starts_back_for_2_completions_of_128_in_flight_and_for_8_of_many) {
    pacing p;
    p.completed(128);
    EXPECT_FALSE(p.may_start());
    p.completed(128);
    EXPECT_EQ(starts(p), 4U);

    pacing many;
    for (int i = 1; i < 8; ++i) {
        many.completed(100'000);
        EXPECT_FALSE(many.may_start()) << i;
    }
    many.completed(100'000);
    EXPECT_EQ(starts(many), 16U);
    for (int i = 1; i < 8; ++i) {
        many.completed(100'000);
        EXPECT_FALSE(many.may_start()) << "the count begins anew, " << i;
    }
    many.completed(100'000);
    EXPECT_EQ(starts(many), 16U);
}

TEST(pacing, gives_held_starts_free_when_nothing_is_complete) {
    pacing p;
    p.completed(1000);
    EXPECT_FALSE(p.may_start());
    p.asked();
    EXPECT_EQ(starts(p), 16U);
}

TEST(pacing, lets_as_many_completions_as_are_in_flight_go_before_a_timer_that_is_due) {
    pacing p;
    EXPECT_TRUE(p.completion_first(false, 3));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(p.completion_first(true, 3)) << i;
        p.completion_went_first();
    }
    EXPECT_FALSE(p.completion_first(true, 3));
    p.timer_went(1);
    EXPECT_TRUE(p.completion_first(true, 1));
    p.completion_went_first();
    EXPECT_FALSE(p.completion_first(true, 1));
    EXPECT_TRUE(p.completion_first(false, 0)) << "no timer is due";
    EXPECT_FALSE(pacing().completion_first(true, 3)) << "no completion has waited yet";
}

}  // namespace
