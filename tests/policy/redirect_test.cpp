#include "r2/policy/redirect.hpp"

#include <gtest/gtest.h>

namespace {

struct redirect_row {
    int status;
    const char* method;
    const char* becomes;
    bool keeps_body;
};

TEST(redirect, changes_method_and_body_as_the_status_says) {
    const redirect_row table[] = {
        {301, "POST", "GET", false},   {302, "POST", "GET", false},     {303, "POST", "GET", false},
        {307, "POST", "POST", true},   {308, "POST", "POST", true},     {301, "PUT", "PUT", true},
        {302, "PATCH", "PATCH", true}, {303, "PUT", "GET", false},      {303, "HEAD", "HEAD", true},
        {303, "GET", "GET", false},    {308, "DELETE", "DELETE", true},
    };
    for (const auto& [status, method, becomes, keeps_body] : table) {
        r2::request q{
            method, "http://a/", {{"Content-Type", "text/plain"}, {"content-language", "en"}, {"X", "1"}}, "body"};
        const r2::request next = r2::detail::redirected(q, status, "http://a/b", true, {});
        EXPECT_EQ(next.method, becomes) << status << method;
        EXPECT_EQ(next.body.empty(), !keeps_body) << status << method;
        EXPECT_EQ(next.headers.size(), keeps_body ? 3U : 1U) << status << method;
        EXPECT_EQ(next.url, "http://a/b");
    }
}

TEST(redirect, takes_no_credentials_to_another_origin) {
    const r2::request q{"GET",
                        "http://a/",
                        {{"authorization", "s"},
                         {"Proxy-Authorization", "s"},
                         {"Cookie", "s"},
                         {"X-Key", "s"},
                         {"Host", "a"},
                         {"X", "1"}},
                        {}};
    EXPECT_EQ(r2::detail::redirected(q, 302, "http://b/", false, {"x-key"}).headers, (r2::headers{{"X", "1"}}));
    EXPECT_EQ(r2::detail::redirected(q, 302, "http://a/b", true, {"x-key"}).headers.size(), 6U);
}

TEST(redirect, is_not_every_3xx) {
    for (const int status : {300, 304, 305, 306, 200, 309, 400})
        EXPECT_FALSE(r2::detail::is_redirect(status)) << status;
    for (const int status : {301, 302, 303, 307, 308}) EXPECT_TRUE(r2::detail::is_redirect(status)) << status;
}

}  // namespace
