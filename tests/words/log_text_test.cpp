#include "r2/words/log_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace std::chrono_literals;
using namespace r2::detail;

TEST(redacted, hides_credentials_queries_and_fragments_of_7_urls) {
    EXPECT_EQ(redacted("http://a.test:81/x"), "http://a.test:81/x");
    EXPECT_EQ(redacted("https://me:secret@a.test/x"), "https://a.test/x");
    EXPECT_EQ(redacted("http://a.test/x?token=secret#secret"), "http://a.test/x?…");
    EXPECT_EQ(redacted("http://[::1]:81/"), "http://[::1]:81/");
    EXPECT_EQ(redacted("http://me:sec/ret@a.test/"), "http://…");
    EXPECT_EQ(redacted("secret"), "…");
    EXPECT_EQ(redacted(""), "");
}

TEST(escaped, is_valid_utf8_without_control_characters) {
    EXPECT_EQ(escaped("a\nb\x7f\xC2\x9B"), "a\\u000ab\\u007f\\u009b");
    EXPECT_EQ(escaped("ü€😀"), "ü€😀");
    EXPECT_EQ(escaped("\xC0\xAF\xED\xA0\x80\xF4\x90\x80\x80"),
              "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(quoted("say \"\\\""), R"("say \"\\\"")");
}

TEST(character_size, is_1_to_4_bytes_or_0) {
    EXPECT_EQ(character_size("a"), 1U);
    EXPECT_EQ(character_size("ü"), 2U);
    EXPECT_EQ(character_size("€"), 3U);
    EXPECT_EQ(character_size("😀"), 4U);
    EXPECT_EQ(character_size("\xE2\x82"), 0U);
    EXPECT_EQ(character_count("aü€😀"), 4U);
}

TEST(seconds, are_exact_in_3_numbers) {
    EXPECT_EQ(seconds(1s), "1");
    EXPECT_EQ(seconds(1ns), "0.000000001");
    EXPECT_EQ(seconds(90500ms), "90.5");
}

}  // namespace
