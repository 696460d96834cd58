#include <gtest/gtest.h>
#include "r2/policy/redirect.hpp"

#include <limits>
#include <string>

#include <r2/r2.hpp>

namespace {

using namespace std::chrono_literals;
using r2::attempt;
using r2::errc;
using r2::error;
using r2::response;

// Predicates.

TEST(predicate, is_asked_in_the_form_that_the_callable_takes) {
    const attempt good(response{.status = 200, .body = "x"});
    const attempt bad{error(errc::connect)};
    const r2::predicate of_response = [](const response& r) { return r.status == 200; };
    const r2::predicate of_attempt = [](const attempt& a) { return a.error() == errc::connect; };
    const r2::predicate of_both = [](const response* r, const error& e) { return !r && e == errc::connect; };
    const r2::predicate generic = [](const auto& r) { return r.body == "x"; };
    EXPECT_TRUE(of_response(good));
    EXPECT_FALSE(of_response(bad));
    EXPECT_TRUE(of_attempt(bad));
    EXPECT_FALSE(of_attempt(good));
    EXPECT_TRUE(of_both(bad));
    EXPECT_FALSE(of_both(good));
    EXPECT_TRUE(generic(good));
    EXPECT_FALSE(generic(bad));
}

TEST(predicate, composes_with_lambdas_on_either_side_and_at_any_depth) {
    const attempt a(response{.status = 503, .body = "busy"});
    const auto busy = [](const response& r) { return r.body == "busy"; };
    const r2::predicate p = (r2::status_is(200) || busy) && !r2::status_is(404);
    EXPECT_TRUE(p(a));
    EXPECT_TRUE((busy && r2::transient)(a));
    EXPECT_FALSE((busy && r2::status_is(200))(a));
    EXPECT_FALSE((!(p || r2::failed_with(errc::tls)))(a));
}

TEST(predicate, a_negation_is_true_where_there_was_no_response) {
    EXPECT_TRUE((!r2::status_is(200))(attempt(error(errc::timeout))));
    EXPECT_TRUE((!r2::predicate([](const response&) { return true; }))(attempt(error(errc::timeout))));
}

TEST(predicate, takes_callables_of_every_make) {
    struct of_text {
        of_text(const char* t) : text(t) {}
        bool operator()(const response& r) { return r.body == text && ++asked > 0; }
        std::string text;
        int asked = 0;
    };
    const attempt a(response{.status = 200, .body = "x"});
    const r2::predicate negated = !r2::predicate(of_text("y"));
    EXPECT_TRUE(negated(a));
    EXPECT_TRUE((r2::status_is(404) || of_text("x"))(a));
    EXPECT_TRUE(([n = 0](const response&) mutable { return ++n > 0; } && r2::status_is(200))(a));
    EXPECT_TRUE(r2::predicate(+[](const response&) { return true; })(a));
}

TEST(predicate, unset_is_false_and_says_so) {
    const attempt a(response{.status = 200});
    EXPECT_FALSE(static_cast<bool>(r2::predicate()));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(nullptr)));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(std::function<bool(const response&)>())));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(static_cast<bool (*)(const response&)>(nullptr))));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(static_cast<int response::*>(nullptr))));
    EXPECT_TRUE(r2::predicate(&response::status)(a));
    EXPECT_FALSE(r2::predicate()(a));
    EXPECT_TRUE(static_cast<bool>(r2::predicate(r2::transient)));
    static_assert(!std::is_convertible_v<bool, r2::predicate>);
    static_assert(!std::is_convertible_v<int, r2::predicate>);
}

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

// Backoff and jitter.

struct delays {
    const char* name;
    r2::backoff b;
    std::vector<r2::duration> expected;  // of retry 0, 1, …
};

TEST(backoff, grows_as_its_name_says) {
    const delays table[] = {
        {"exponential", r2::backoff::exponential(2s, 2.0, 30s), {2s, 4s, 8s, 16s, 30s, 30s}},
        {"exponential by 1.5", r2::backoff::exponential(100ms, 1.5), {100ms, 150ms, 225ms, 337500us}},
        {"linear", r2::backoff::linear(500ms, 2s), {500ms, 1s, 1500ms, 2s, 2s}},
        {"constant", r2::backoff::constant(3s), {3s, 3s, 3s}},
        {"none", r2::backoff::none(), {0s, 0s}},
        {"custom", r2::backoff::custom([](int n) { return n * 1s - 1s; }), {0s, 0s, 1s, 2s}},
        {"of a negative base", r2::backoff::exponential(-1s), {0s, 0s}},
        {"with a negative cap, which is none", r2::backoff::linear(1s, -5s), {1s, 2s}},
        {"linear by a negative step", r2::backoff::linear(-1s), {0s, 0s}},
        {"that shrinks", r2::backoff::exponential(8s, 0.5), {8s, 4s, 2s}},
    };
    for (const auto& [name, b, expected] : table)
        for (std::size_t n = 0; n < expected.size(); ++n)
            EXPECT_EQ(b.delay(static_cast<int>(n)), expected[n]) << name << ' ' << n;
}

TEST(backoff, overflows_at_no_retry_number) {
    constexpr int last = std::numeric_limits<int>::max();
    for (const int n : {33, 34, 62, 63, 64, 1000, last - 1, last}) {
        EXPECT_EQ(r2::backoff::exponential(1s, 2.0, 30s).delay(n), 30s) << n;
        EXPECT_EQ(r2::backoff::linear(r2::duration::max()).delay(n), r2::duration::max()) << n;
    }
    EXPECT_EQ(r2::backoff::exponential(1s).delay(last), r2::duration::max());
    EXPECT_EQ(r2::backoff::exponential(1s).delay(33), 8589934592s);
    EXPECT_EQ(r2::backoff::exponential(1s).delay(34), r2::duration::max());
    EXPECT_EQ(r2::backoff::exponential(1s, std::numeric_limits<double>::quiet_NaN()).delay(3), 0s);
    EXPECT_EQ(r2::backoff::exponential(1ns).delay(63), r2::duration::max());
    EXPECT_EQ(r2::backoff::exponential(1s).delay(-5), 1s);
    EXPECT_EQ(r2::backoff::linear(1s).delay(-5), 1s);
    EXPECT_EQ(r2::backoff::linear(r2::duration::max() / 2).delay(1), r2::duration::max() - 1ns);
}

TEST(backoff, keeps_a_constant_of_10000_hours_to_the_nanosecond) {
    EXPECT_EQ(r2::backoff::constant(10'000h + 1ns).delay(3), 10'000h + 1ns);
}

TEST(jitter, spreads_as_its_name_says) {
    constexpr double nearly = 0.999999999;
    static_assert(r2::jitter::none().apply(10s, 1s, 0.7) == 10s);
    static_assert(r2::jitter::full().apply(10s, 1s, 0.25) == 2500ms);
    static_assert(r2::jitter::full().apply(10s, 1s, 0) == 0s);
    static_assert(r2::jitter::equal().apply(10s, 1s, 0) == 5s);
    static_assert(r2::jitter::equal().apply(10s, 1s, 0.5) == 7500ms);
    static_assert(r2::jitter::proportional(0.5).apply(10s, 1s, 0) == 5s);
    static_assert(r2::jitter::proportional(0.5).apply(10s, 1s, 0.5) == 10s);
    static_assert(r2::jitter::decorrelated(1s, 20s).apply(10s, 4s, 0) == 1s);
    static_assert(r2::jitter::decorrelated(1s, 20s).apply(10s, 4s, 0.5) == 6500ms);
    static_assert(r2::jitter::decorrelated(1s, 20s).apply(10s, 20s, nearly) == 20s);
    EXPECT_LT(r2::jitter::full().apply(10s, 1s, nearly), 10s + 1ns);
    EXPECT_EQ(r2::jitter::full().apply(1ns, 0s, 0.75), 1ns);
    EXPECT_EQ(r2::jitter::full().apply(1ns, 0s, 0.25), 0ns);
    EXPECT_EQ(r2::jitter::full().apply(r2::duration::max(), {}, 0.999999999999999),
              r2::jitter::full().apply(r2::duration::max(), {}, 0.999999999999999));
    EXPECT_GT(r2::jitter::proportional(1).apply(r2::duration::max(), {}, nearly), 0s);
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

// Dates and Retry-After.

constexpr auto y2026 = r2::wall_time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));

constexpr bool is_date(std::string_view text) { return r2::detail::parse_http_date(text, y2026).has_value(); }

TEST(http_date, has_three_forms_and_no_other) {
    constexpr auto expected = r2::wall_time(std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s);
    static_assert(r2::detail::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", y2026) == expected);
    static_assert(r2::detail::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", y2026) == expected);
    static_assert(r2::detail::parse_http_date("Sun Nov  6 08:49:37 1994", y2026) == expected);
    static_assert(is_date("Wed Nov 16 08:49:37 1994"));
    static_assert(is_date("Thu, 29 Feb 2024 23:59:60 GMT"));
    constexpr const char* none[] = {"",
                                    "Mon, 06 Nov 1994 08:49:37 GMT",    // that was a Sunday
                                    "Wed, 31 Feb 2027 08:49:37 GMT",    // no such day
                                    "Sun, 6 Nov 1994 08:49:37 GMT",     // two digits
                                    "Sun, 06 Nov 1994 08:49:37",        // no zone
                                    "Sun, 06 Nov 1994 08:49:37 CET",    //
                                    "Sun, 06 Nov 1994 08:49:37 GMT ",   // more
                                    "Sun, 06 Nov 1994 24:00:00 GMT",    //
                                    "Sun, 06 Nov 1994 08:60:00 GMT",    //
                                    "Thu, 29 Feb 2024 23:59:61 GMT",    // no leap second
                                    "Sunday, 06-Nov-94 08:49:37 GMT ",  //
                                    "Sunday, 06-Nov-94 08:49:37",       //
                                    "Sun Nov  6 08:49:37 1994 ",        //
                                    "Sun Nov  6 08:49:37 199",          // less
                                    "Wed, 1/ Nov 1994 08:49:37 GMT",    // what is next to the digits
                                    "Thu, 0: Nov 1994 08:49:37 GMT",    //
                                    "sun, 06 nov 1994 08:49:37 gmt",    // case counts
                                    "Sun, 06 Nov 94 08:49:37 GMT",      //
                                    "Sun, 06-Nov-94 08:49:37 GMT",      // the long name goes with dashes
                                    "20300101",                         //
                                    "1994-11-06T08:49:37Z",             //
                                    "Sun Nov 6 08:49:37 1994"};         // padded with a space
    for (const char* text : none) EXPECT_FALSE(is_date(text)) << text;
}

TEST(http_date, a_year_of_two_digits_is_at_most_50_years_ahead) {
    EXPECT_EQ(r2::detail::parse_http_date("Wednesday, 01-Jan-76 00:00:00 GMT", y2026),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(2076) / 1 / 1)));
    EXPECT_EQ(r2::detail::parse_http_date("Saturday, 01-Jan-77 00:00:00 GMT", y2026),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(1977) / 1 / 1)));
}

TEST(http_date, a_year_of_two_digits_is_less_than_50_years_ago) {
    constexpr auto y2060 = r2::wall_time(std::chrono::sys_days(std::chrono::year(2060) / 1 / 1));
    EXPECT_EQ(r2::detail::parse_http_date("Wednesday, 01-Jan-10 00:00:00 GMT", y2060),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(2110) / 1 / 1)));
    EXPECT_EQ(r2::detail::parse_http_date("Saturday, 01-Jan-11 00:00:00 GMT", y2060),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(2011) / 1 / 1)));
}

TEST(http_date, beyond_what_the_clock_holds_is_its_last_moment) {
    EXPECT_EQ(r2::detail::parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", y2026), r2::wall_time::max());
    EXPECT_EQ(r2::detail::parse_http_date("Sat, 01 Jan 0000 00:00:00 GMT", y2026), r2::wall_time::min());
    EXPECT_EQ(r2::detail::parse_http_date("Fri, 11 Apr 2262 23:47:16 GMT", y2026), r2::wall_time(9'223'372'036s));
    EXPECT_EQ(r2::detail::parse_http_date("Fri, 11 Apr 2262 23:47:17 GMT", y2026), r2::wall_time::max());
    EXPECT_EQ(r2::detail::parse_http_date("Tue, 21 Sep 1677 00:12:44 GMT", y2026), r2::wall_time(-9'223'372'036s));
    EXPECT_EQ(r2::detail::parse_http_date("Tue, 21 Sep 1677 00:12:43 GMT", y2026), r2::wall_time::min());
}

TEST(retry_after, is_a_number_of_seconds_or_a_date_and_else_nothing) {
    static_assert(r2::detail::parse_retry_after("120", "", y2026) == 120s);
    static_assert(r2::detail::parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", "", y2026) == 2min);
    static_assert(
        r2::detail::parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", "Thu, 01 Jan 2026 00:01:00 GMT", y2026) == 1min);
    static_assert(r2::detail::parse_retry_after("Thu, 01 Jan 2026 00:02:00 GMT", "not a date", y2026) == 2min);
    static_assert(r2::detail::parse_retry_after("99999999999999999999", "", y2026) == r2::duration::max());
    static_assert(r2::detail::parse_retry_after("92233720370", "", y2026) == r2::duration::max());
    static_assert(r2::detail::parse_retry_after("9223372037", "", y2026) == r2::duration::max());
    static_assert(r2::detail::parse_retry_after("9223372036", "", y2026) == 9223372036s);
    for (const char* text :
         {"", "0", "-1", "+1", "1.5", "120s", "soon", "1 2", "0x10", "Wed, 31 Dec 2025 23:59:59 GMT"})
        EXPECT_EQ(r2::detail::parse_retry_after(text, "", y2026), std::nullopt) << text;
}

TEST(retry_after, may_count_from_before_1970) {
    EXPECT_EQ(r2::detail::between(r2::wall_time(-1h), r2::wall_time(1h)), 2h);
    EXPECT_EQ(r2::detail::between(r2::wall_time(1h), r2::wall_time(-1h)), 0s);
    EXPECT_EQ(r2::detail::between(r2::wall_time(-1h), r2::wall_time::max()), r2::duration::max());
}

TEST(retry_after, counts_the_first_of_several_headers) {
    EXPECT_EQ(r2::detail::retry_after({.status = 503, .headers = {{"Retry-After", "3"}, {"Retry-After", "9"}}}, y2026),
              3s);
    EXPECT_EQ(
        r2::detail::retry_after({.status = 503, .headers = {{"Retry-After", "soon"}, {"Retry-After", "9"}}}, y2026),
        std::nullopt);
    EXPECT_EQ(r2::detail::retry_after({.status = 503}, y2026), std::nullopt);
}

// Redirects.

struct redirect_row {
    int status;
    const char* method;
    const char* becomes;
    bool keeps_body;
};

TEST(redirect, changes_method_and_body_as_the_status_says) {
    const redirect_row table[] = {
        {301, "POST", "GET", false},   {302, "POST", "GET", false},     {303, "POST", "GET", false},
        {307, "POST", "POST", true},   {308, "POST", "POST", true},     {301, "PUT", "PUT", true},
        {302, "PATCH", "PATCH", true}, {303, "PUT", "GET", false},      {303, "HEAD", "HEAD", true},
        {303, "GET", "GET", false},    {308, "DELETE", "DELETE", true},
    };
    for (const auto& [status, method, becomes, keeps_body] : table) {
        r2::request q{
            method, "http://a/", {{"Content-Type", "text/plain"}, {"content-language", "en"}, {"X", "1"}}, "body"};
        const r2::request next = r2::detail::redirected(q, status, "http://a/b", true, {});
        EXPECT_EQ(next.method, becomes) << status << method;
        EXPECT_EQ(next.body.empty(), !keeps_body) << status << method;
        EXPECT_EQ(next.headers.size(), keeps_body ? 3U : 1U) << status << method;
        EXPECT_EQ(next.url, "http://a/b");
    }
}

TEST(redirect, takes_no_credentials_to_another_origin) {
    const r2::request q{"GET",
                        "http://a/",
                        {{"authorization", "s"},
                         {"Proxy-Authorization", "s"},
                         {"Cookie", "s"},
                         {"X-Key", "s"},
                         {"Host", "a"},
                         {"X", "1"}},
                        {}};
    EXPECT_EQ(r2::detail::redirected(q, 302, "http://b/", false, {"x-key"}).headers, (r2::headers{{"X", "1"}}));
    EXPECT_EQ(r2::detail::redirected(q, 302, "http://a/b", true, {"x-key"}).headers.size(), 6U);
}

TEST(redirect, is_not_every_3xx) {
    for (const int status : {300, 304, 305, 306, 200, 309, 400})
        EXPECT_FALSE(r2::detail::is_redirect(status)) << status;
    for (const int status : {301, 302, 303, 307, 308}) EXPECT_TRUE(r2::detail::is_redirect(status)) << status;
}

// Hooks.

TEST(before_attempt, takes_and_returns_only_what_it_can_use) {
    static_assert(r2::before_attempt_callable<void (*)(r2::request&)>);
    static_assert(r2::before_attempt_callable<response (*)(r2::request&, int)>);
    static_assert(r2::before_attempt_callable<std::optional<response> (*)(r2::request&)>);
    static_assert(!r2::before_attempt_callable<int (*)(r2::request&)>);
    static_assert(!r2::before_attempt_callable<bool (*)(r2::request&, int)>);
    static_assert(!r2::before_attempt_callable<void (*)()>);
    static_assert(!std::is_constructible_v<r2::before_attempt_hook, int (*)(r2::request&)>);
    EXPECT_FALSE(static_cast<bool>(r2::before_attempt_hook()));
    void (*pointer)(r2::request&) = nullptr;
    EXPECT_FALSE(static_cast<bool>(r2::before_attempt_hook(pointer)));
    pointer = [](r2::request& q) { q.method = "PUT"; };
    r2::request q;
    EXPECT_FALSE(r2::before_attempt_hook(pointer)(q, 1));
    EXPECT_EQ(q.method, "PUT");
}

TEST(admission, goes_waits_or_refuses) {
    EXPECT_FALSE(r2::admission(r2::admission::go).refused());
    EXPECT_EQ(r2::admission::go().wait(), 0s);
    EXPECT_EQ(r2::admission::wait(3s).wait(), 3s);
    EXPECT_EQ(r2::admission::refuse("no").reason(), "no");
}

}  // namespace
