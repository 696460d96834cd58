#include "r2/policy/aws.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <r2/testing/fake_client.hpp>

// The waits of the tests of the AWS SDK for Go (retry2026_test.go, TestRetry2026StandardMode), whose random factor
// is 1. retry_budget_test.cpp has their budgets.

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::testing::fake_client;
using waits = std::vector<r2::duration>;

constexpr auto url = "https://dynamodb.test/";

struct row {
    const char* name;
    std::vector<r2::response> responses;
    waits expected;
    r2::ended ends = ended::succeeded;
    int max_attempts = 3;
    r2::duration base = 50ms, cap = 20s;
};

const r2::response fine{.status = 200}, broken{.status = 500}, bad_gateway{.status = 502}, missing{.status = 404};
const r2::response throttling{.status = 400, .headers = {{"x-amzn-ErrorType", "Throttling"}}};
r2::response asks(const char* milliseconds) {
    return {.status = 500, .headers = {{"x-amz-retry-after", milliseconds}}};
}

TEST(aws, waits_as_in_13_vectors) {
    const row rows[] = {
        {"retry eventually succeeds", {broken, broken, fine}, {50ms, 100ms}},
        {"max attempts reached", {bad_gateway, bad_gateway, bad_gateway}, {50ms, 100ms}, ended::exhausted},
        {"exponential backoff",
         {broken, broken, broken, broken, broken},
         {50ms, 100ms, 200ms, 400ms},
         ended::exhausted,
         5},
        {"max backoff",
         {broken, broken, broken, broken, broken},
         {50ms, 100ms, 200ms, 200ms},
         ended::exhausted,
         5,
         50ms,
         200ms},
        {"recovery", {broken, bad_gateway, fine}, {50ms, 100ms}, ended::succeeded, 5},
        {"throttling", {throttling, fine}, {1s}},
        {"dynamodb", {broken, broken, broken, broken}, {25ms, 50ms, 100ms}, ended::exhausted, 4, 25ms},
        {"2 attempts", {broken, broken}, {50ms}, ended::exhausted, 2},
        {"non-retryable", {missing}, {}, ended::not_retryable},
        {"x-amz-retry-after", {asks("1500"), fine}, {1500ms}},
        {"x-amz-retry-after, minimum", {asks("0"), fine}, {50ms}},
        {"x-amz-retry-after, maximum", {asks("10000"), fine}, {5050ms}},
        {"x-amz-retry-after, invalid", {asks("invalid"), fine}, {50ms}},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.name);
        fake_client fake;
        for (const r2::response& response : r.responses) fake.reply(response);
        r2::options o = r2::options::aws();
        EXPECT_EQ(o.max_attempts, 3);
        o.max_attempts = r.max_attempts;
        o.jitter = r2::jitter::none();
        if (r.base != 50ms || r.cap != 20s) o.backoff = r2::backoff::exponential(r.base, 2.0, r.cap);
        EXPECT_EQ(fake.get(url, o).finish().ended(), r.ends);
        EXPECT_EQ(fake.waits(), r.expected);
    }
}

TEST(aws, spreads_each_wait_from_0_on) {
    fake_client fake;
    fake.reply(broken).reply(fine);
    fake.get(url, r2::options::aws()).finish();
    ASSERT_EQ(fake.waits().size(), 1U);
    EXPECT_LE(fake.waits()[0], 50ms);
}

TEST(aws, waits_for_at_most_20_s_with_each_of_2_backoffs) {
    const r2::options o = r2::options::aws();
    EXPECT_EQ(o.backoff.delay(8), 12'800ms);
    EXPECT_EQ(o.backoff.delay(20), 20s);
    EXPECT_EQ(o.throttle_backoff->delay(4), 16s);
    EXPECT_EQ(o.throttle_backoff->delay(20), 20s);
}

TEST(throttle_backoff, takes_the_place_of_backoff_after_1_of_2_failures) {
    fake_client fake;
    fake.reply(503).reply(429).reply({.status = 503, .body = "<Code>SlowDown</Code>"}).reply(200);
    const r2::options o{.backoff = r2::backoff::constant(1s),
                        .jitter = r2::jitter::none(),
                        .throttle_backoff = r2::backoff::linear(10s)};
    fake.get(url, o).finish();
    EXPECT_EQ(fake.waits(), (waits{1s, 20s, 30s}));
}

}  // namespace
