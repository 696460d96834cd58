#include "r2/words/body.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <type_traits>

#include <r2/testing/server.hpp>
#include <r2/verbs.hpp>

namespace {

TEST(form, keeps_its_order_and_writes_a_space_as_plus) {
    EXPECT_EQ(r2::urlencode({{"q", "a b&c=d"}, {"", "e"}, {"ü", "*-._~"}}), "q=a+b%26c%3Dd&=e&%C3%BC=*-._%7E");
    EXPECT_EQ(r2::urlencode({}), "");
}

TEST(body, is_made_of_5_kinds_of_text) {
    const std::string s = "text";
    const auto text_of = [](r2::body b) { return std::string(b.text()); };
    EXPECT_EQ(text_of(s), "text");
    EXPECT_EQ(text_of("text"), "text");
    EXPECT_EQ(text_of(std::string_view(s)), "text");
    EXPECT_EQ(text_of(r2::form{{"a", "b"}}), "a=b");
    EXPECT_TRUE(r2::body{}.empty());
    EXPECT_FALSE(r2::body("").empty());
    EXPECT_EQ(r2::body::file("/tmp/x").path(), "/tmp/x");
    EXPECT_TRUE(r2::body::file("/tmp/x").is_file());
}

std::size_t size_of(const r2::body& b) { return b.text().size(); }

TEST(body, of_a_literal_keeps_all_but_its_final_nul) {
    constexpr char named[] = "a\0bc";
    constexpr char without_nul[2] = {'a', 'b'};
    EXPECT_EQ(size_of("a\0b"), 3U);
    EXPECT_EQ(size_of(named), 4U);
    EXPECT_EQ(size_of(without_nul), 2U);
    EXPECT_EQ(size_of(""), 0U);
}

TEST(body, of_a_buffer_or_a_pointer_ends_at_the_first_nul) {
    char buffer[8] = "ab";
    const char* null = nullptr;
    EXPECT_EQ(size_of(buffer), 2U);
    EXPECT_EQ(size_of(&buffer[0]), 2U);
    EXPECT_EQ(size_of(null), 0U);
    EXPECT_FALSE(r2::body(null).empty());
    static_assert(!std::is_convertible_v<int, r2::body>);
    struct two_texts {
        operator std::string() const { return "whole"; }
        operator const char*() const { return "cut"; }
    };
    static_assert(!std::is_convertible_v<two_texts, r2::body>);
}

TEST(body, with_a_nul_inside_is_sent_whole_as_3_bytes) {
    r2::testing::server s;
    s.default_answer(r2::testing::reply(200));
    EXPECT_EQ(r2::post(s.url("/"), "a\0b").finish().response()->status, 200);
    EXPECT_EQ(r2::del(s.url("/"), "a\0b").finish().response()->status, 200);
    for (const auto& q : s.requests()) EXPECT_EQ(q.body, std::string("a\0b", 3)) << q.method;
}

}  // namespace
