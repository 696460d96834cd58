#include <gtest/gtest.h>

#include <string>

#include <r2/testing/fake_client.hpp>

namespace {

using r2::testing::fake_client;

/// The header fields of a request with these options, as they are sent: "name: value" each.
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
