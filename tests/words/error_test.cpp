#include "r2/words/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace {

using r2::errc;

TEST(error, default_constructed_is_false) {
    EXPECT_FALSE(r2::error());
    EXPECT_TRUE(r2::error(errc::timeout));
    EXPECT_FALSE(r2::error() == errc::timeout);
    EXPECT_FALSE(r2::error() == std::errc::timed_out);
}

TEST(error, compares_with_its_kind_and_the_standard_condition_either_way_round) {
    const r2::error err(errc::timeout, "after 1s", r2::sent::maybe);
    EXPECT_TRUE(err == errc::timeout);
    EXPECT_TRUE(errc::timeout == err);
    EXPECT_TRUE(err != errc::connect);
    EXPECT_TRUE(err == std::errc::timed_out);
    EXPECT_TRUE(std::errc::timed_out == err);
    EXPECT_FALSE(err == std::errc::connection_refused);
    EXPECT_EQ(err.sent(), r2::sent::maybe);
    EXPECT_EQ(err.message(), "timeout: after 1s");
    EXPECT_EQ(r2::error(errc::local).message(), "local failure");
}

TEST(error, has_a_name_for_each_of_14_kinds) {
    const std::pair<errc, const char*> names[] = {
        {errc::invalid_request, "invalid request"},
        {errc::resolve, "could not resolve"},
        {errc::connect, "could not connect"},
        {errc::tls, "no secure connection"},
        {errc::timeout, "timeout"},
        {errc::disconnected, "disconnected"},
        {errc::protocol, "protocol error"},
        {errc::too_large, "response too large"},
        {errc::too_many_redirects, "too many redirects"},
        {errc::body_unreadable, "request body unreadable"},
        {errc::stopped, "stopped"},
        {errc::refused, "refused"},
        {errc::local, "local failure"},
        {errc::failed, "failed"},
    };
    for (const auto& [kind, name] : names) {
        EXPECT_EQ(to_string(kind), name);
        EXPECT_EQ(r2::error(kind).message(), name);
        EXPECT_EQ(make_error_condition(kind).message(), name);
    }
    EXPECT_EQ(to_string(errc{}), "no error");
}

TEST(error, has_a_code_of_its_own_category) {
    const r2::error err(errc::timeout);
    EXPECT_STREQ(err.code().category().name(), "r2");
    EXPECT_EQ(err.code(), errc::timeout);
    EXPECT_EQ(err.code(), std::errc::timed_out);
    EXPECT_NE(err.code(), errc::connect);
    static_assert(std::is_error_condition_enum_v<errc>);
}

}  // namespace
