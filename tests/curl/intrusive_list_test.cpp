#include "r2/curl/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace {

using r2::detail::curl::intrusive_list;

struct item : r2::detail::curl::list_node {
    int value = 0;
};

std::array<item, 4> items() {
    std::array<item, 4> all;
    for (int i = 0; i < 4; ++i) all[static_cast<std::size_t>(i)].value = i;
    return all;
}

/// Takes all out of the list, the front first.
std::vector<int> drained(intrusive_list<item>& list) {
    std::vector<int> values;
    while (!list.empty()) {
        values.push_back(list.front().value);
        list.remove(list.front());
    }
    return values;
}

TEST(intrusive_list, is_empty_at_first_and_after_1_came_and_left) {
    intrusive_list<item> list;
    EXPECT_TRUE(list.empty());
    item one;
    list.push_back(one);
    EXPECT_FALSE(list.empty());
    EXPECT_EQ(&list.front(), &one);
    list.remove(one);
    EXPECT_TRUE(list.empty());
}

TEST(intrusive_list, keeps_the_order_of_4_that_were_pushed_to_its_2_ends) {
    auto all = items();
    intrusive_list<item> list;
    list.push_back(all[2]);
    list.push_front(all[1]);
    list.push_back(all[3]);
    list.push_front(all[0]);
    EXPECT_EQ(drained(list), (std::vector{0, 1, 2, 3}));
}

TEST(intrusive_list, lets_each_of_4_leave_from_anywhere) {
    for (std::size_t leaving = 0; leaving < 4; ++leaving) {
        auto all = items();
        intrusive_list<item> list;
        for (item& each : all) list.push_back(each);
        list.remove(all[leaving]);
        std::vector<int> expected{0, 1, 2, 3};
        expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(leaving));
        EXPECT_EQ(drained(list), expected);
    }
}

TEST(intrusive_list, takes_1_that_left_another_list) {
    item one;
    intrusive_list<item> first, second;
    first.push_back(one);
    first.remove(one);
    second.push_front(one);
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(&second.front(), &one);
}

TEST(intrusive_list, sorts_in_each_of_24_orders) {
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    do {
        auto all = items();
        intrusive_list<item> list;
        for (const std::size_t i : order)
            list.insert_sorted(all[i], [](const item& a, const item& b) { return a.value < b.value; });
        EXPECT_EQ(drained(list), (std::vector{0, 1, 2, 3}));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST(intrusive_list, sorts_equals_behind_those_that_were_there) {
    auto all = items();
    intrusive_list<item> list;
    for (item& each : all)
        list.insert_sorted(each, [](const item& a, const item& b) { return a.value / 2 < b.value / 2; });
    EXPECT_EQ(drained(list), (std::vector{0, 1, 2, 3}));
}

}  // namespace
