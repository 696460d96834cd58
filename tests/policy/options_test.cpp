#include "r2/policy/options.hpp"

#include <gtest/gtest.h>

#include <string>

#include <r2/testing/fake_client.hpp>
#include <r2/verbs.hpp>

namespace {

using namespace std::chrono_literals;
using r2::testing::fake_client;

/// Returns the header fields that a request with these options is sent with, as "name: value".
std::string fields_of(const r2::request& q, const r2::options& o) {
    fake_client fake;
    fake.reply(200);
    fake.send(q, o).finish();
    std::string all;
    for (const auto& [name, value] : fake.requests().at(0).headers)
        all.append(all.empty() ? "" : ", ").append(name).append(": ").append(value);
    return all;
}

r2::request with_method(const char* method, r2::headers h = {}) {
    return {.method = method, .url = "http://host.test/", .headers = std::move(h)};
}

TEST(options, default_to_a_backoff_of_2_to_30_s_with_full_jitter_and_10_redirects_and_no_limits) {
    const r2::options o;
    EXPECT_EQ(o.backoff.delay(0), 2s);
    EXPECT_EQ(o.backoff.delay(9), 30s);
    EXPECT_EQ(o.jitter.apply(8s, {}, 0.5), 4s);
    EXPECT_EQ(o.max_attempts, 0);
    EXPECT_EQ(o.max_body, 0U);
    EXPECT_EQ(o.max_redirects, 10);
}

TEST(options, via_takes_a_const_client) {
    fake_client fake;
    fake.reply(200);
    const r2::client& c = fake;
    EXPECT_EQ(r2::get("http://host.test/", {.via = &c}).finish().response()->status, 200);
    EXPECT_EQ(fake.requests().size(), 1U);
}

// Designated initialisers have to follow the order of the fields, so this is the order.
TEST(options, have_24_fields_in_this_order) {
    const r2::options o{.max_attempts = 1,
                        .timeout = 1s,
                        .interval = 1s,
                        .deadline = 1s,
                        .terminate_if = {},
                        .retry_if = {},
                        .backoff = r2::backoff::none(),
                        .jitter = r2::jitter::none(),
                        .throttle_backoff = r2::backoff::none(),
                        .retry_after = {},
                        .headers = {},
                        .content_type = {},
                        .idempotency_key = {},
                        .replay = r2::replay::always,
                        .before_attempt = {},
                        .after_attempt = {},
                        .on_attempt = {},
                        .stop = {},
                        .stop_grace = {},
                        .guards = {},
                        .hedge = {},
                        .max_body = 1,
                        .max_redirects = 1,
                        .via = nullptr};
    EXPECT_EQ(o.max_redirects, 1);
}

TEST(options, a_content_type_is_sent_with_4_methods_and_not_with_get_and_head) {
    const r2::options json{.content_type = "application/json"};
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"})
        EXPECT_EQ(fields_of(with_method(method), json), "Content-Type: application/json") << method;
    for (const char* method : {"GET", "HEAD"}) EXPECT_EQ(fields_of(with_method(method), json), "") << method;
    const r2::request own = with_method("POST", {{"content-type", "text/plain"}});
    EXPECT_EQ(fields_of(own, {}), "content-type: text/plain");
    EXPECT_EQ(fields_of(own, json), "Content-Type: application/json");
    EXPECT_EQ(fields_of(own, {.headers = {{"Content-Type", "a/b"}}, .content_type = "c/d"}), "Content-Type: c/d");
}

TEST(options, headers_replace_the_requests_own_of_the_same_name_and_keep_their_2_values) {
    const r2::request own = with_method("GET", {{"X-A", "1"}, {"X-B", "2"}, {"x-a", "3"}});
    EXPECT_EQ(fields_of(own, {.headers = {{"X-A", "4"}, {"X-a", "5"}}}), "X-B: 2, X-A: 4, X-a: 5");
    EXPECT_EQ(fields_of(own, {}), "X-A: 1, X-B: 2, x-a: 3");
}

TEST(options, an_idempotency_key_replaces_the_1_of_the_headers) {
    const r2::request own = with_method("POST", {{"Idempotency-Key", "own"}});
    EXPECT_EQ(fields_of(own, {}), "Idempotency-Key: own");
    EXPECT_EQ(fields_of(own, {.idempotency_key = "k"}), "Idempotency-Key: k");
    EXPECT_EQ(fields_of(own, {.headers = {{"idempotency-key", "theirs"}}, .idempotency_key = "k"}),
              "Idempotency-Key: k");
}

}  // namespace
