#include "r2/curl/settings.hpp"

#include <stdlib.h>

#include "curl/fixture.hpp"
#include "r2/curl/handles.hpp"

namespace {

using namespace r2::testkit;

TEST(settings, take_the_default_of_10_s_where_no_connect_timeout_is_set) {
    using r2::detail::curl::connect_timeout_of;
    EXPECT_EQ(connect_timeout_of({}), 10s);
    EXPECT_EQ(connect_timeout_of({.connect_timeout = 0s}), 10s);
    EXPECT_EQ(connect_timeout_of({.connect_timeout = -1s}), 10s);
    EXPECT_EQ(connect_timeout_of({.connect_timeout = 1ns}), 1ns);
}

TEST(settings, find_each_of_5_variables_that_name_a_proxy) {
    EXPECT_FALSE(r2::detail::curl::is_proxied_by_environment());
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
        ::setenv(name, "http://127.0.0.1:1", 1);
        EXPECT_TRUE(r2::detail::curl::is_proxied_by_environment()) << name;
        ::unsetenv(name);
    }
}

TEST(settings, of_r2_win_over_3_of_configure) {
    server s;
    s.script({reply(302, "moved", {{"Location", "/to"}}), reply(404, "missing")});
    const r2::client c({.configure = [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
    }});
    const r2::attempt moved = c.get(s.url(), quick({.max_redirects = 0})).finish();
    EXPECT_EQ(status_of(moved), 302);
    EXPECT_EQ(moved.response()->body, "moved");
    EXPECT_EQ(status_of(c.get(s.url(), quick()).finish()), 404);
    EXPECT_EQ(s.request_count(), 2U);
}

TEST(settings, leave_1_proxy_of_configure) {
    const refusing_port closed;
    server proxy;
    const r2::client c({.configure = [&](CURL* easy) { curl_easy_setopt(easy, CURLOPT_PROXY, proxy.url().c_str()); }});
    EXPECT_EQ(status_of(c.get(closed.url(), quick()).finish()), 200);
    EXPECT_EQ(proxy.request_count(), 1U);
}

}  // namespace
