#include "r2/policy/server_timing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "r2/policy/predicates.hpp"
#include "r2/policy/throttled.hpp"

namespace {

using namespace std::chrono_literals;
using r2::duration;
using r2::parse_rate_limit;
using r2::parse_reset;
using wait = std::optional<duration>;

// 2026-01-01 00:00:00 UTC.
constexpr r2::wall_time now{1767225600s};

// RateLimit, in the form of today's draft and in that of the widespread one before it.
static_assert(parse_rate_limit(R"("default";r=0;t=30)", "") == wait(30s));
static_assert(parse_rate_limit(R"("default";r=1;t=30)", "") == std::nullopt);
static_assert(parse_rate_limit(R"("a";r=0;t=3, "b";r=0;t=40, "c";r=5;t=99)", "") == wait(40s));
static_assert(parse_rate_limit(R"( "a" ; r=0 ; t=3 )", "") == wait(3s));
static_assert(parse_rate_limit(R"("with, comma; and r=0";r=7;t=1)", "") == std::nullopt);
static_assert(parse_rate_limit(R"("day";r=0)", R"("min";q=10;w=60, "day";q=1000;w=86400)") == wait(24h));
static_assert(parse_rate_limit(R"("day";r=0)", R"("min";q=10;w=60)") == std::nullopt);
static_assert(parse_rate_limit(R"("with;r=0;t=9, and more";r=1;t=3)", "") == std::nullopt);
static_assert(parse_rate_limit("\t\"a\"\t;\tr=0\t;\tt=3\t", "") == wait(3s));
static_assert(parse_rate_limit(R"("a";r=0;t=3;r)", "") == wait(3s));
static_assert(parse_rate_limit("limit=10, remaining=0, reset=7", "") == wait(7s));
static_assert(parse_rate_limit("limit=10, remaining=1, reset=7", "") == std::nullopt);
static_assert(parse_rate_limit("limit=10,remaining=0", "") == std::nullopt);
static_assert(parse_rate_limit("", "") == std::nullopt);
static_assert(parse_rate_limit("\"", ";;,,=\"") == std::nullopt);
static_assert(parse_rate_limit(R"("a";r=-0;t=3)", "") == std::nullopt);
static_assert(parse_rate_limit(R"("a";r=0;t=99999999999999999999)", "") == wait(duration::max()));

static_assert(parse_reset("30", now) == wait(30s));
static_assert(parse_reset("1767225660", now) == wait(60s));
static_assert(parse_reset("1767225660000", now) == wait(60s));
static_assert(parse_reset("1767225000", now) == wait(0s));
static_assert(parse_reset("99999999999999999999", r2::wall_time(-1h)) == wait(duration::max()));
static_assert(parse_reset("999999999", now) == wait(999'999'999s));
static_assert(parse_reset("1000000000", now) == wait(0s));
static_assert(parse_reset("99999999999", now) == wait(duration::max() - now.time_since_epoch()));
static_assert(parse_reset("100000000000", now) == wait(0s));
static_assert(parse_reset("", now) == std::nullopt);
static_assert(parse_reset("1.5", now) == std::nullopt);

struct row {
    int status;
    r2::headers fields;
    wait expected;
};

TEST(server_wait, takes_the_first_of_8_fields) {
    const row rows[] = {
        {200, {}, {}},
        {503, {{"Retry-After", "7"}, {"retry-after-ms", "1"}, {"X-RateLimit-Reset", "9"}}, 7s},
        // It always wins, also where it asks for nothing.
        {429, {{"Retry-After", "0"}, {"retry-after-ms", "5"}, {"X-RateLimit-Reset", "9"}}, {}},
        {429, {{"Retry-After", "soon"}, {"retry-after-ms", "5"}}, {}},
        {429, {{"retry-after-ms", "1500"}, {"x-ms-retry-after-ms", "1"}}, 1500ms},
        {429, {{"retry-after-ms", "soon"}, {"x-ms-retry-after-ms", "250"}, {"RateLimit-Reset", "9"}}, 250ms},
        {429, {{"retry-after-ms", "0"}, {"RateLimit-Reset", "9"}}, {}},
        {429, {{"RateLimit", "\"d\";r=0;t=5"}, {"RateLimit-Reset", "9"}}, 5s},
        {429, {{"RateLimit", "\"d\";r=0"}, {"RateLimit-Policy", "\"d\";q=1;w=6"}}, 6s},
        {429, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "9"}, {"X-RateLimit-Reset", "1"}}, 9s},
        {429, {{"RateLimit-Reset", "9"}}, 9s},
        {429, {{"X-RateLimit-Reset", "1767225660"}}, 60s},
        {429, {{"X-RateLimit-Reset", "1767225660"}, {"Date", "Thu, 01 Jan 2026 00:00:30 GMT"}}, 30s},
        // Something is left: it isn't that.
        {429, {{"X-RateLimit-Remaining", "3"}, {"X-RateLimit-Reset", "9"}}, {}},
        {503, {{"X-RateLimit-Remaining", "4987"}, {"X-RateLimit-Reset", "3600"}}, {}},
        {503, {{"X-RateLimit-Reset", "3600"}}, {}},
        // A success that says that nothing is left paces the next poll.
        {200, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "9"}}, 9s},
        {202, {{"RateLimit", "\"d\";r=0;t=5"}}, 5s},
        {200, {{"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", "9"}}, {}},
        {200, {{"X-RateLimit-Reset", "9"}}, {}},
    };
    for (const row& r : rows) {
        std::string fields;
        for (const r2::header& f : r.fields) fields += f.name + ": " + f.value + "; ";
        EXPECT_EQ(r2::server_wait({.status = r.status, .headers = r.fields}, now), r.expected)
            << r.status << ", " << fields;
    }
}

TEST(amazon, may_ask_for_up_to_5_s_more) {
    const auto asked = [](std::string_view value) {
        return r2::at_least_as_amazon_asks({.headers = {{"x-amz-retry-after", std::string(value)}}}, 50ms);
    };
    EXPECT_EQ(asked("1500"), 1500ms);
    EXPECT_EQ(asked("0"), 50ms);
    EXPECT_EQ(asked("10000"), 5050ms);
    EXPECT_EQ(asked("invalid"), 50ms);
    EXPECT_EQ(r2::at_least_as_amazon_asks({}, 50ms), 50ms);
    EXPECT_EQ(r2::at_least_as_amazon_asks({.headers = {{"x-amz-retry-after", "1"}}}, duration::max()), duration::max());
}

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
