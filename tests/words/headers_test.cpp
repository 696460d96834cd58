#include "r2/words/headers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using strings = std::vector<std::string>;

strings lines(const r2::headers& h) {
    strings out;
    for (auto&& [name, value] : h) out.push_back(std::string(name).append("=").append(value));
    return out;
}

TEST(headers, are_built_of_pairs_and_keep_their_order) {
    const r2::headers h = {{"Accept", "application/json"}, {"X-Id", "7"}};
    EXPECT_EQ(h.size(), 2U);
    EXPECT_EQ(lines(h), (strings{"Accept=application/json", "X-Id=7"}));
    EXPECT_EQ((r2::headers{{"A", "b"}}.size()), 1U);
    EXPECT_TRUE(r2::headers{}.empty());
}

TEST(headers, find_a_name_in_any_case_and_the_first_of_several) {
    const r2::headers h = {{"set-cookie", "a"}, {"Set-Cookie", "b"}};
    EXPECT_EQ(h.get("SET-COOKIE"), "a");
    EXPECT_EQ(h.get_all("Set-cookie"), (std::vector<std::string_view>{"a", "b"}));
    EXPECT_FALSE(h.contains("Set-Cookie2"));
    EXPECT_EQ(h.get("set"), std::nullopt);
}

TEST(headers, set_replaces_all_of_the_name_in_the_place_of_the_first) {
    r2::headers h = {{"A", "1"}, {"B", "2"}, {"a", "3"}};
    h.set("a", "4");
    EXPECT_EQ(lines(h), (strings{"a=4", "B=2"}));
    h.set("C", "5");
    EXPECT_EQ(lines(h), (strings{"a=4", "B=2", "C=5"}));
}

TEST(headers, set_and_add_take_views_into_themselves) {
    r2::headers h = {{"A", "a value that is longer than a small string"}, {"B", "2"}};
    h.set("B", *h.get("A"));
    h.add("C", *h.get("B"));
    EXPECT_EQ(h.get("C"), "a value that is longer than a small string");
}

TEST(headers, erase_returns_the_number_of_fields) {
    r2::headers h = {{"A", "1"}, {"B", "2"}, {"a", "3"}};
    EXPECT_EQ(h.erase("A"), 2U);
    EXPECT_EQ(h.erase("A"), 0U);
    EXPECT_EQ(lines(h), (strings{"B=2"}));
}

TEST(headers, iterating_after_a_change_sees_the_change) {
    r2::headers h = {{"A", "1"}};
    EXPECT_EQ(lines(h).size(), 1U);
    h.add("B", "2");
    EXPECT_EQ(lines(h).size(), 2U);
    h.erase("A");
    EXPECT_EQ(lines(h), (strings{"B=2"}));
}

TEST(headers, copies_and_moves_are_independent) {
    r2::headers a = {{"A", "1"}};
    EXPECT_EQ(lines(a).size(), 1U);
    r2::headers b = a;
    b.add("B", "2");
    EXPECT_EQ(lines(a).size(), 1U);
    const r2::headers c = std::move(b);
    EXPECT_EQ(lines(c), (strings{"A=1", "B=2"}));
    EXPECT_TRUE(b.empty());  // NOLINT: a moved-from object is empty
    a = c;
    EXPECT_EQ(a, c);
    const r2::headers& self = a;
    a = self;
    EXPECT_EQ(a, c);
}

TEST(headers, equal_only_with_the_same_fields_however_they_came) {
    r2::headers line;
    line.add_line("A: 1", 1, 3);
    EXPECT_EQ(line, (r2::headers{{"A", "1"}}));
    EXPECT_NE(line, (r2::headers{{"A", "12"}}));
    EXPECT_NE((r2::headers{{"AB", ""}}), (r2::headers{{"A", "B"}}));
}

static_assert(std::random_access_iterator<r2::headers::const_iterator>);
static_assert(std::is_convertible_v<r2::header_view, r2::header> && std::is_convertible_v<r2::header, r2::header_view>);
static_assert(std::is_nothrow_move_constructible_v<r2::headers> && std::is_nothrow_move_assignable_v<r2::headers>);

TEST(headers, iterate_at_random_over_3_views) {
    const r2::headers h = {{"A", "1"}, {"B", "2"}, {"C", "3"}};
    const auto begin = h.begin();
    EXPECT_EQ(begin->name, "A");
    EXPECT_EQ(begin[2].value, "3");
    EXPECT_EQ(h.end() - begin, 3);
    EXPECT_EQ((*(2 + begin)).name, "C");
    EXPECT_EQ((h.end() - 2)->name, "B");
    EXPECT_TRUE(begin < h.end() && begin + 3 == h.end());
    auto i = begin;
    EXPECT_EQ((i++)->name, "A");
    EXPECT_EQ((++i)->name, "C");
    EXPECT_EQ((i--)->name, "C");
    EXPECT_EQ((--i)->name, "A");
    i -= -1;
    EXPECT_EQ(i->name, "B");
}

TEST(headers, iterate_as_header_or_view_and_compare_with_both) {
    const r2::headers h = {{"A", "1"}, {"B", "2"}};
    std::vector<r2::header> copies;
    for (const r2::header& field : h) copies.push_back(field);
    EXPECT_EQ(copies, (std::vector<r2::header>(h.begin(), h.end())));
    EXPECT_TRUE(std::equal(h.begin(), h.end(), copies.begin(), copies.end()));
    const r2::header_view first = *h.begin(), other = copies[1];
    EXPECT_TRUE(first == copies[0] && copies[0] == first && first == first);
    EXPECT_TRUE(first != copies[1] && copies[1] != first && first != other);
    EXPECT_TRUE(first != (r2::header{"A", "2"}) && first != (r2::header{"B", "1"}));
    EXPECT_EQ(std::find(h.begin(), h.end(), copies[1]), h.begin() + 1);
}

TEST(headers, moved_from_are_empty_and_take_2_new_fields) {
    r2::headers a = {{"A", "a value that is longer than a small string"}};
    const r2::headers b = std::move(a);
    EXPECT_TRUE(a.empty() && a.begin() == a.end() && a == r2::headers());  // NOLINT: as above
    a.add("B", "2");
    r2::headers c;
    c = std::move(a);
    EXPECT_EQ(lines(c), (strings{"B=2"}));
    EXPECT_FALSE(a.contains("B"));  // NOLINT: as above
    a.add_line("C: 3", 1, 3);
    a.extend_last(" ", "4");
    EXPECT_EQ(lines(a), (strings{"C=3 4"}));
    EXPECT_EQ(b.size(), 1U);
}

TEST(headers, put_a_space_for_each_of_3_crs) {
    r2::headers h;
    h.extend_last(" ", "lost");
    h.add_line("A\r: \r1\r", 2, 4);
    h.replace_crs();
    EXPECT_EQ(lines(h), (strings{"A = 1 "}));
    h.replace_crs();
    EXPECT_EQ(lines(h), (strings{"A = 1 "}));
}

TEST(headers, are_read_by_8_threads_at_once) {
    r2::headers h;
    for (int i = 0; i < 100; ++i) h.add("X-" + std::to_string(i), std::to_string(i));
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            std::size_t n = 0;
            for (const r2::header& field : h) n += field.value.size();
            EXPECT_EQ(n, 190U);
        });
    for (auto& t : threads) t.join();
}

}  // namespace
