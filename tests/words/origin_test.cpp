#include "r2/words/origin.hpp"

#include <gtest/gtest.h>

#include <string>

#include "r2/policy/by_origin.hpp"

namespace {

std::string origin(std::string_view url) {
    std::string scratch;
    return std::string(r2::origin_of(url, scratch));
}

TEST(origin, is_the_same_for_10_spellings) {
    for (const char* url :
         {"http://a.test", "http://a.test/", "http://a.test/x?y#z", "http://a.test?q", "HTTP://A.Test/",
          "http://a.test:80/", "http:///a.test/x", "http:/a.test/x", "http://a.test:/", "http://me:secret@a.test/"})
        EXPECT_EQ(origin(url), "http://a.test") << url;
}

TEST(origin, differs_by_scheme_host_and_port_in_4_ways) {
    EXPECT_EQ(origin("https://a.test/"), "https://a.test");
    EXPECT_EQ(origin("http://b.test/"), "http://b.test");
    EXPECT_EQ(origin("http://a.test:443/"), "http://a.test:443");
    EXPECT_EQ(origin("https://a.test:443/"), "https://a.test");
    EXPECT_EQ(origin("https://[::1]:8443/x"), "https://[::1]:8443");
    EXPECT_EQ(origin("https://[::1]/x"), "https://[::1]");
}

// RFC 3986 doesn't know it as a separator, nor does libcurl, which takes what comes before the '@' for credentials.
TEST(origin, has_0_bytes_of_a_user_name_with_a_backslash) {
    EXPECT_EQ(origin("http://me\\x:secret@a.test/"), "http://a.test");
    EXPECT_EQ(origin("http://me\\x@a.test:81"), "http://a.test:81");
}

TEST(origin, of_no_url_is_1_and_the_same) {
    EXPECT_EQ(origin(""), "");
    EXPECT_EQ(origin("a.test/x"), "");
}

int& state(r2::detail::by_origin<int>& all, std::string url) {
    return all.of({.method = "GET", .url = std::move(url)});
}

TEST(by_origin, keeps_1_state_for_each) {
    r2::detail::by_origin<int> all(r2::scope::origin, 5);
    ++state(all, "http://a.test/x");
    ++state(all, "http://A.TEST:80/y");
    EXPECT_EQ(state(all, "http://a.test"), 7);
    EXPECT_EQ(state(all, "http://a.test.evil/"), 5);
    EXPECT_EQ(state(all, "http://a.test:81/"), 5);
    EXPECT_EQ(state(all, "http://a.test@b.test/"), 5) << "which is b's";
}

TEST(by_origin, keeps_1_state_for_all) {
    r2::detail::by_origin<int> all(r2::scope::global, 5);
    ++state(all, "http://a.test/");
    EXPECT_EQ(state(all, "https://b.test/"), 6);
}

TEST(by_origin, of_1025_origins_forgets_the_one_unused_for_longest) {
    r2::detail::by_origin<int> all(r2::scope::origin, 0);
    const auto url = [](std::size_t n) { return "http://" + std::to_string(n) + ".test/"; };
    for (std::size_t n = 0; n < all.max_origins; ++n) state(all, url(n)) = 1;
    EXPECT_EQ(state(all, url(0)), 1) << "used once more";
    EXPECT_EQ(state(all, "http://new.test/"), 0);
    EXPECT_EQ(state(all, url(0)), 1);
    EXPECT_EQ(state(all, url(2)), 1);
    EXPECT_EQ(state(all, url(1)), 0);
}

}  // namespace
