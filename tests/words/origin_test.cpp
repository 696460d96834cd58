#include "r2/words/origin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string origin(std::string_view url) {
    std::string scratch;
    return std::string(r2::detail::origin_of(url, scratch));
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

// RFC 3986 and libcurl don't treat the backslash as a separator: the part before the '@' is credentials.
TEST(origin, has_0_bytes_of_a_user_name_with_a_backslash) {
    EXPECT_EQ(origin("http://me\\x:secret@a.test/"), "http://a.test");
    EXPECT_EQ(origin("http://me\\x@a.test:81"), "http://a.test:81");
}

TEST(origin, of_no_url_is_1_and_the_same) {
    EXPECT_EQ(origin(""), "");
    EXPECT_EQ(origin("a.test/x"), "");
}

}  // namespace
