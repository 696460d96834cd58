#include "r2/curl/reusable_handle.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using r2::detail::curl::base_method;
using r2::detail::curl::reusable_handle;

TEST(reusable_handle, chooses_1_of_4_methods_of_libcurls) {
    const struct {
        const char* method;
        r2::body body;
        base_method base;
    } table[] = {
        {"GET", {}, base_method::get},
        {"DELETE", {}, base_method::get},
        {"HEAD", {}, base_method::head},
        {"POST", {}, base_method::post},
        {"PUT", {}, base_method::post},
        {"PATCH", {}, base_method::post},
        {"GET", "", base_method::post},
        {"HEAD", "text", base_method::post},
        {"PUT", r2::body::file("f"), base_method::put},
        {"POST", r2::body::file("f"), base_method::put},
    };
    for (const auto& [method, body, base] : table)
        EXPECT_EQ(r2::detail::curl::base_method_of({.method = method, .body = body}), base) << method;
}

TEST(reusable_handle, shows_2_urls_without_their_credentials) {
    const r2::client_options settings;
    reusable_handle h(settings, nullptr);
    EXPECT_FALSE(h.set_url("http://me:secret@h/x"));
    EXPECT_EQ(h.shown_url(), "http://h/x");
    EXPECT_FALSE(h.set_url("http://H:80/x"));
    EXPECT_EQ(h.shown_url(), "http://H:80/x") << "as it was written";
    EXPECT_TRUE(h.keeps_configuration());
}

TEST(reusable_handle, refuses_the_same_bad_url_2_times) {
    const r2::client_options settings;
    reusable_handle h(settings, nullptr);
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(h.set_url("ftp://h/") == r2::errc::invalid_request);
    EXPECT_FALSE(h.set_url("http://h/"));
}

TEST(reusable_handle, parses_the_url_anew_after_1_redirect) {
    const r2::client_options settings;
    reusable_handle h(settings, nullptr);
    EXPECT_FALSE(h.set_url("http://me:secret@h/from"));
    EXPECT_FALSE(h.url_to_change().follow("http://other/to"));
    h.apply_redirect(true);
    EXPECT_EQ(h.shown_url(), "http://other/to");
    EXPECT_FALSE(h.url().has_credentials());
    EXPECT_FALSE(h.set_url("http://me:secret@h/from"));
    EXPECT_EQ(h.url().where().host, "h");
    EXPECT_EQ(h.url().user(), "me");
}

TEST(reusable_handle, loses_what_configure_set_to_1_url_with_credentials_or_1_other_origin) {
    const r2::client_options settings{.configure = [](CURL*) {}};
    for (const bool by_url : {false, true}) {
        reusable_handle h(settings, nullptr);
        EXPECT_FALSE(h.set_url("http://h/"));
        EXPECT_TRUE(h.keeps_configuration());
        if (by_url)
            EXPECT_FALSE(h.set_url("http://me:secret@h/"));
        else
            h.apply_redirect(true);
        EXPECT_FALSE(h.keeps_configuration());
    }
    reusable_handle h(settings, nullptr);
    EXPECT_FALSE(h.set_url("http://h/"));
    h.apply_redirect(false);
    EXPECT_TRUE(h.keeps_configuration());
}

}  // namespace
