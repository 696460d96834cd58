#include "r2/words/outcome.hpp"

#include <gtest/gtest.h>

namespace {

using r2::errc;
using r2::outcome;

TEST(outcome, of_a_status_is_an_empty_response) {
    const outcome o(503);
    ASSERT_TRUE(o.attempt().response());
    EXPECT_EQ(o.attempt().response()->status, 503);
    EXPECT_EQ(o.attempt().response()->body, "");
    EXPECT_EQ(o.attempt().sends(), 1);
}

TEST(outcome, of_6_errors_follows_a_send_and_of_8_does_not) {
    for (const errc e : {errc::timeout, errc::disconnected, errc::protocol, errc::too_large, errc::too_many_redirects,
                         errc::stopped}) {
        EXPECT_EQ(outcome(e).attempt().error().sent(), r2::sent::maybe) << e;
        EXPECT_EQ(outcome(e).attempt().sends(), 1) << e;
    }
    for (const errc e : {errc::invalid_request, errc::resolve, errc::connect, errc::tls, errc::body_unreadable,
                         errc::refused, errc::local, errc::failed}) {
        EXPECT_EQ(outcome(e).attempt().error().sent(), r2::sent::no) << e;
        EXPECT_EQ(outcome(e).attempt().sends(), 0) << e;
    }
}

TEST(outcome, has_the_number_that_it_is_given) {
    EXPECT_EQ(outcome(200).attempt().number(), 1);
    EXPECT_EQ(outcome(200).numbered(7).attempt().number(), 7);
}

}  // namespace
