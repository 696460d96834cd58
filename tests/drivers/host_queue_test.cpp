#include <gtest/gtest.h>

#include <array>
#include <vector>

#include <r2/drivers/host_queue.hpp>

namespace {

struct item {
    int number;
    item* next_in_line = nullptr;
};
using queue = r2::detail::host_queue<item>;

std::array<item, 6> items = {{{0}, {1}, {2}, {3}, {4}, {5}}};

/// Starts whatever may start, without finishing any.
std::vector<int> start_all(queue& q) {
    std::vector<int> numbers;
    while (q.can_start()) numbers.push_back(q.start().first->number);
    return numbers;
}

TEST(host_queue, lets_2_hosts_take_turns_and_nobody_overtake_at_1) {
    queue q(9);
    EXPECT_FALSE(q.can_start());
    for (int i = 0; i < 4; ++i) q.push(items[i], "http://a");
    q.push(items[4], "http://b");
    q.push(items[5], "http://b");
    EXPECT_EQ(q.size(), 6U);
    EXPECT_EQ(start_all(q), (std::vector<int>{0, 4, 1, 5, 2, 3}));
    EXPECT_EQ(q.size(), 0U);
    EXPECT_EQ(q.under_way(), 6U);
}

TEST(host_queue, keeps_1_under_way_at_each_host_until_it_is_finished) {
    queue q(1);
    q.push(items[0], "http://a");
    q.push(items[1], "http://a");
    q.push(items[2], "http://b");
    const auto [first, a] = q.start();
    EXPECT_EQ(first->number, 0);
    const auto [second, b] = q.start();
    EXPECT_EQ(second->number, 2);
    EXPECT_FALSE(q.can_start());
    EXPECT_EQ(q.size(), 1U);
    q.finished(*b);
    EXPECT_FALSE(q.can_start()) << "its line is empty";
    q.finished(*a);
    ASSERT_TRUE(q.can_start());
    EXPECT_EQ(q.start().first->number, 1);
    EXPECT_EQ(q.under_way(), 1U);
}

TEST(host_queue, takes_an_item_again_at_a_host_that_it_had_forgotten) {
    queue q(1);
    q.push(items[0], "http://a");
    q.finished(*q.start().second);
    EXPECT_EQ(q.under_way(), 0U);
    q.push(items[1], "http://a");
    ASSERT_TRUE(q.can_start());
    EXPECT_EQ(q.start().first->number, 1);
}

TEST(host_queue, clears_its_lines_and_still_counts_what_is_under_way) {
    queue q(1);
    for (int i = 0; i < 3; ++i) q.push(items[i], "http://a");
    q.push(items[3], "http://b");
    const auto [first, a] = q.start();
    const auto dropped = q.clear();
    EXPECT_EQ(dropped.size(), 3U);
    EXPECT_EQ(q.size(), 0U);
    EXPECT_FALSE(q.can_start());
    EXPECT_EQ(q.under_way(), 1U);
    q.push(items[4], "http://a");
    EXPECT_FALSE(q.can_start()) << "one is under way there";
    q.finished(*a);
    EXPECT_EQ(start_all(q), (std::vector<int>{4}));
    q.push(items[5], "http://b");
    EXPECT_EQ(start_all(q), (std::vector<int>{5}));
}

}  // namespace
