#include "r2/policy/predicates.hpp"

#include <gtest/gtest.h>

namespace {

using r2::attempt;
using r2::errc;
using r2::error;
using r2::response;

TEST(transient, is_429_and_any_status_from_500_on) {
    for (const int status : {429, 500, 501, 503, 599, 600})
        EXPECT_TRUE(r2::transient(response{.status = status})) << status;
    for (const int status : {200, 302, 400, 404, 408, 425, 428, 430, 499})
        EXPECT_FALSE(r2::transient(response{.status = status})) << status;
}

TEST(transient, is_the_errors_that_may_pass) {
    for (const errc e : {errc::resolve, errc::connect, errc::timeout, errc::disconnected, errc::protocol})
        EXPECT_TRUE(r2::transient(attempt(error(e)))) << error(e).message();
    for (const errc e : {errc::invalid_request, errc::tls, errc::too_large, errc::too_many_redirects,
                         errc::body_unreadable, errc::stopped, errc::refused, errc::local})
        EXPECT_FALSE(r2::transient(attempt(error(e)))) << error(e).message();
}

TEST(predicates, ask_about_status_header_body_and_error) {
    const attempt a(response{.status = 206, .headers = {{"X-State", "old"}, {"x-state", "done"}}, .body = "all done"});
    EXPECT_TRUE(r2::status_is(206)(a));
    EXPECT_TRUE(r2::status_between(200, 206)(a));
    EXPECT_TRUE(r2::status_between(206, 299)(a));
    EXPECT_FALSE(r2::status_between(207, 299)(a));
    EXPECT_FALSE(r2::status_between(200, 205)(a));
    EXPECT_TRUE(r2::header_is("X-STATE", "done")(a));
    EXPECT_FALSE(r2::header_is("X-State", "don")(a));
    EXPECT_TRUE(r2::body_contains("done")(a));
    EXPECT_FALSE(r2::body_contains("gone")(a));
    EXPECT_TRUE(r2::failed_with(errc::tls)(attempt(error(errc::tls))));
    EXPECT_FALSE(r2::failed_with(errc::tls)(a));
}

}  // namespace
