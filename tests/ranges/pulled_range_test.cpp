#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <vector>

#include <r2/ranges/pulled_range.hpp>

namespace {

/// Counts up to `last`, and how often it was asked.
struct counter : r2::detail::source<int> {
    explicit counter(int l) : last(l) {}
    int* next() override {
        ++asked;
        if (value == throws_at) throw std::runtime_error("oops");
        return value < last ? &++value : nullptr;
    }
    int last;
    int value = 0;
    int asked = 0;
    int throws_at = -1;
};

struct numbers : r2::detail::pulled_range<counter, int> {
    explicit numbers(int last) : pulled_range(std::make_unique<counter>(last)) {}
    using pulled_range::run_to_end;
    using pulled_range::source;
};

static_assert(std::input_iterator<numbers::iterator>);
static_assert(std::ranges::input_range<numbers>);

TEST(pulled_range, asks_its_source_only_when_it_is_compared_or_dereferenced) {
    numbers n(3);
    auto i = n.begin();
    EXPECT_EQ(n.source()->asked, 0);
    EXPECT_EQ(*i, 1);
    EXPECT_EQ(*i, 1);
    EXPECT_FALSE(i == n.end());
    EXPECT_EQ(n.source()->asked, 1);
    ++i;
    EXPECT_EQ(n.source()->asked, 1);
    EXPECT_FALSE(i == n.end());
    EXPECT_EQ(n.source()->asked, 2);
}

TEST(pulled_range, pulls_first_what_plus_plus_would_skip) {
    numbers n(3);
    auto i = n.begin();
    ++i;
    ++i;
    EXPECT_EQ(*i, 3);
    EXPECT_EQ(n.source()->asked, 3);
}

TEST(pulled_range, begins_again_where_the_loop_broke_off) {
    numbers n(3);
    for (const int each : n)
        if (each == 2) break;
    std::vector<int> rest;
    for (const int each : n) rest.push_back(each);
    EXPECT_EQ(rest, (std::vector<int>{2, 3}));
}

TEST(pulled_range, stays_at_its_end_without_asking_again) {
    numbers n(1);
    n.run_to_end();
    EXPECT_EQ(n.source()->asked, 2);
    EXPECT_TRUE(n.begin() == n.end());
    n.run_to_end();
    EXPECT_EQ(n.source()->asked, 2);
}

TEST(pulled_range, lets_an_exception_of_its_source_out_once_and_ends) {
    numbers n(3);
    n.source()->throws_at = 1;
    auto i = n.begin();
    EXPECT_EQ(*i, 1);
    ++i;
    EXPECT_THROW(static_cast<void>(i == n.end()), std::runtime_error);
    EXPECT_TRUE(i == n.end());
    EXPECT_EQ(n.source()->asked, 2);
}

TEST(pulled_range, goes_on_in_the_range_that_it_is_moved_to) {
    numbers n(3);
    auto i = n.begin();
    EXPECT_EQ(*i, 1);
    numbers moved = std::move(n);
    EXPECT_TRUE(n.begin() == n.end());
    EXPECT_EQ(*i, 1) << "an iterator stays valid";
    ++i;
    EXPECT_EQ(*moved.begin(), 2);
    numbers other(9);
    other = std::move(moved);
    EXPECT_EQ(*other.begin(), 2);
    EXPECT_TRUE(moved.begin() == moved.end());
}

}  // namespace
