#include "r2/policy/throttled.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "r2/policy/predicates.hpp"

namespace {

TEST(throttled, is_429_or_1_of_14_codes_in_3_places) {
    using r2::throttled;
    EXPECT_TRUE(throttled(r2::response{.status = 429}));
    EXPECT_FALSE(throttled(r2::response{.status = 503}));
    EXPECT_FALSE(throttled(r2::attempt(r2::error(r2::errc::timeout))));
    EXPECT_EQ(r2::detail::throttling_codes.size(), 14U);
    for (const std::string_view known : r2::detail::throttling_codes) {
        const std::string code(known);
        EXPECT_TRUE(throttled(r2::response{.status = 400, .headers = {{"x-amzn-ErrorType", code}}}));
        EXPECT_TRUE(throttled(r2::response{.status = 400, .headers = {{"X-Amzn-Errortype", code + ":http://x/"}}}));
        EXPECT_TRUE(throttled(r2::response{.status = 400, .body = R"({"__type":"com.amazon#)" + code + R"("})"}));
        EXPECT_TRUE(throttled(r2::response{.status = 400, .body = R"({ "code" : ")" + code + R"(" })"}));
        EXPECT_TRUE(throttled(r2::response{.status = 503, .body = "<Error><Code>" + code + "</Code></Error>"}));
        EXPECT_FALSE(throttled(r2::response{.status = 200, .body = "<Code>" + code + "</Code>"}));
        EXPECT_FALSE(throttled(r2::response{.status = 400, .body = "<Code>Not" + code + "</Code>"}));
        EXPECT_FALSE(throttled(r2::response{.status = 400, .body = "the word " + code}));
    }
    EXPECT_FALSE(throttled(r2::response{.status = 399, .body = "<Code>SlowDown</Code>"}));
    EXPECT_FALSE(throttled(r2::response{.status = 400, .body = R"(12345"SlowDown")"}));
    EXPECT_FALSE(throttled(r2::response{.status = 400, .body = R"({"code":["SlowDown"]})"}));
    EXPECT_FALSE(throttled(r2::response{.status = 400, .body = R"({"__type":)"}));
    EXPECT_FALSE(throttled(r2::response{.status = 400, .body = R"({"__type":7})"}));
    EXPECT_TRUE((throttled || r2::status_is(200))(r2::attempt(r2::response{.status = 200})));
}

TEST(throttled, looks_at_the_first_4096_bytes_of_a_body) {
    const std::string code = "<Code>SlowDown";
    for (const std::size_t end : {4096U, 4097U}) {
        const std::string body = std::string(end - code.size(), ' ') + code;
        EXPECT_EQ(r2::throttled(r2::response{.status = 400, .body = body}), end == 4096);
    }
}

TEST(status_in, holds_for_2_of_3) {
    const auto p = r2::status_in({404, 409}) && !r2::header_is("X", "y");
    EXPECT_TRUE(p(r2::attempt(r2::response{.status = 404})));
    EXPECT_TRUE(p(r2::attempt(r2::response{.status = 409})));
    EXPECT_FALSE(p(r2::attempt(r2::response{.status = 400})));
    EXPECT_FALSE(p(r2::attempt(r2::error(r2::errc::timeout))));
}

TEST(server_error_but, leaves_out_501) {
    const auto p = r2::server_error_but({501}) || r2::throttled;
    EXPECT_TRUE(p(r2::attempt(r2::response{.status = 500})));
    EXPECT_FALSE(p(r2::attempt(r2::response{.status = 501})));
    EXPECT_FALSE(p(r2::attempt(r2::response{.status = 404})));
    EXPECT_FALSE(p(r2::attempt(r2::response{.status = 499})));
    EXPECT_TRUE(p(r2::attempt(r2::response{.status = 429})));
}

}  // namespace
