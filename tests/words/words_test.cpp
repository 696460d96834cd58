#include <gtest/gtest.h>
#include "r2/words/check.hpp"

#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include <r2/r2.hpp>

namespace {

using namespace std::chrono_literals;
using r2::errc;

TEST(duration, takes_any_integral_duration_and_no_fraction) {
    static_assert(std::is_convertible_v<std::chrono::minutes, r2::duration>);
    static_assert(!std::is_convertible_v<std::chrono::duration<double>, r2::duration>);
}

TEST(duration, is_told_in_the_unit_that_fits) {
    EXPECT_EQ(r2::to_string(0s), "0s");
    EXPECT_EQ(r2::to_string(1500ms), "1.5s");
    EXPECT_EQ(r2::to_string(250ms), "250ms");
    EXPECT_EQ(r2::to_string(1234567ns), "1.234ms");
    EXPECT_EQ(r2::to_string(1us), "1us");
    EXPECT_EQ(r2::to_string(999ns), "999ns");
    EXPECT_EQ(r2::to_string(90min), "5400s");
    EXPECT_EQ(r2::to_string(1001ms), "1.001s");
    EXPECT_EQ(r2::to_string(-2s), "-2s");
}

TEST(later, never_overflows) {
    static_assert(r2::later(r2::time_point{}, 5s) == r2::time_point{} + 5s);
    static_assert(r2::later(r2::time_point{1s}, r2::duration::max()) == r2::never);
    static_assert(r2::later(r2::never, 1ns) == r2::never);
}

TEST(form, keeps_its_order_and_writes_a_space_as_plus) {
    EXPECT_EQ(r2::urlencode({{"q", "a b&c=d"}, {"", "e"}, {"ü", "*-._~"}}), "q=a+b%26c%3Dd&=e&%C3%BC=*-._%7E");
    EXPECT_EQ(r2::urlencode({}), "");
}

TEST(body, is_made_of_every_text) {
    const std::string s = "text";
    const auto text_of = [](r2::body b) { return std::string(b.text()); };
    EXPECT_EQ(text_of(s), "text");
    EXPECT_EQ(text_of("text"), "text");
    EXPECT_EQ(text_of(std::string_view(s)), "text");
    EXPECT_EQ(text_of(r2::form{{"a", "b"}}), "a=b");
    EXPECT_TRUE(r2::body{}.empty());
    EXPECT_FALSE(r2::body("").empty());
    EXPECT_EQ(r2::body::file("/tmp/x").path(), "/tmp/x");
    EXPECT_TRUE(r2::body::file("/tmp/x").is_file());
}

TEST(request, is_idempotent_by_its_method_or_its_key) {
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        EXPECT_TRUE(r2::is_idempotent({.method = method})) << method;
    for (const char* method : {"POST", "PATCH", "get", "PURGE"})
        EXPECT_FALSE(r2::is_idempotent({.method = method})) << method;
    EXPECT_TRUE(r2::is_idempotent({.method = "POST", .headers = {{"idempotency-key", "k"}}}));
}

struct bad_request {
    const char* what;
    r2::request q;
    const char* says;
};

TEST(check, names_what_is_wrong_and_quotes_no_value) {
    const std::string u = "http://h/";
    const bad_request table[] = {
        {"no method", {.method = "", .url = u}, "the method is empty"},
        {"a method of two", {.method = "GET HTTP/1.1", .url = u}, "the method has a character that isn't allowed"},
        {"CONNECT", {.method = "CONNECT", .url = u}, "CONNECT opens tunnels"},
        {"HEAD with a body", {.method = "HEAD", .url = u, .body = "secret"}, "a HEAD request has no body"},
        {"no URL", {}, "the URL is empty"},
        {"a space", {.url = "http://h/secret file"}, "the URL has a space at position 15"},
        {"NUL", {.url = std::string("http://h/\0", 10)}, "the URL has a control byte at position 9"},
        {"line feed", {.url = "http://h/\n"}, "the URL has a control byte at position 9"},
        {"DEL", {.url = "http://h/\x7f"}, "the URL has a control byte at position 9"},
        {"a name with CR LF", {.url = u, .headers = {{"A\r\nB", "secret"}}}, "header 1 has an empty name, or one with"},
        {"an empty name",
         {.url = u, .headers = {{"A", "1"}, {"", "secret"}}},
         "header 2 has an empty name, or one with"},
        {"CR LF in a value",
         {.url = u, .headers = {{"X-Id", "secret\r\nB: c"}}},
         "X-Id has CR, LF or NUL in its value"},
        {"NUL in a value",
         {.url = u, .headers = {{"X-Id", std::string("a\0b", 3)}}},
         "X-Id has CR, LF or NUL in its value"},
        {"Transfer-Encoding",
         {.url = u, .headers = {{"transfer-encoding", "chunked"}}},
         "Transfer-Encoding is not for a header"},
        {"a wrong length",
         {.url = u, .headers = {{"Content-Length", "5"}}, .body = "four"},
         "Content-Length is not the body's"},
        {"1 MB of header", {.url = u, .headers = {{"X", std::string(1'000'000, 's')}}}, "over the limit of 262144"},
        {"1 MB of URL", {.url = u + std::string(1'000'000, 's')}, "over the limit of 262144"},
    };
    for (const auto& [what, q, says] : table) {
        const r2::error bad = r2::check(q);
        EXPECT_EQ(bad, errc::invalid_request) << what;
        EXPECT_EQ(bad.sent(), r2::sent::no) << what;
        EXPECT_NE(bad.message().find(says), std::string::npos) << what << ": " << bad.message();
        EXPECT_EQ(bad.message().find("secret"), std::string::npos) << what;
    }
    EXPECT_FALSE(r2::check({.url = u, .headers = {{"Content-Length", "4"}, {"X", ""}}, .body = "four"}));
}

TEST(error, is_false_only_where_there_is_none) {
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

TEST(attempt, is_a_response_or_an_error_and_binds_two) {
    r2::attempt good(r2::response{.status = 204});
    auto&& [res, err] = good;
    static_assert(std::is_same_v<decltype(res), r2::response*>);
    static_assert(std::is_same_v<decltype(err), const r2::error&>);
    ASSERT_NE(res, nullptr);
    EXPECT_EQ(res->status, 204);
    EXPECT_FALSE(err);

    const r2::attempt bad{r2::error(errc::connect)};
    auto&& [no_res, connect] = bad;
    static_assert(std::is_same_v<decltype(no_res), const r2::response*>);
    EXPECT_EQ(no_res, nullptr);
    EXPECT_EQ(connect, errc::connect);
    EXPECT_EQ(bad.number(), 1);
    EXPECT_EQ(bad.sends(), 0);
    EXPECT_EQ(bad.ended(), r2::ended::not_yet);
}

TEST(attempt, of_an_empty_error_is_still_an_error) {
    const r2::attempt a{r2::error()};
    EXPECT_EQ(a.response(), nullptr);
    EXPECT_TRUE(a.error());
}

TEST(names, of_ends_and_waits_are_those_of_the_enumerators) {
    EXPECT_EQ(to_string(r2::ended::not_yet), "not_yet");
    EXPECT_EQ(to_string(r2::ended::retry_after_too_long), "retry_after_too_long");
    EXPECT_EQ(to_string(r2::ended::threw), "threw");
    EXPECT_EQ(to_string(r2::wait_source::guard), "guard");
}

TEST(fresh_key, is_a_random_uuid_each_time) {
    std::set<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
        const std::string key = r2::fresh_key();
        ASSERT_EQ(key.size(), 36U);
        EXPECT_EQ(key[14], '4');
        EXPECT_NE(std::string("89ab").find(key[19]), std::string::npos) << key;
        EXPECT_EQ(key.find_first_not_of("0123456789abcdef-"), std::string::npos) << key;
        keys.insert(key);
    }
    EXPECT_EQ(keys.size(), 1000U);
}

TEST(chance, is_in_the_unit_interval_and_spread_over_it) {
    r2::detail::splitmix64 chance(42);
    int low = 0;
    for (int i = 0; i < 10'000; ++i) {
        const double u = chance.unit();
        ASSERT_TRUE(0 <= u && u < 1);
        low += u < 0.25;
    }
    EXPECT_NEAR(low, 2500, 200);
}

}  // namespace
