#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include <r2/words/headers.hpp>

namespace {

using strings = std::vector<std::string>;

strings lines(const r2::headers& h) {
    strings out;
    for (auto& [name, value] : h) out.push_back(name + "=" + value);
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

TEST(headers, erase_says_how_many_there_were) {
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
    EXPECT_TRUE(b.empty());  // NOLINT: emptied by the move, as promised to those who reuse it
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
