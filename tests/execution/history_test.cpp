#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include <r2/execution/history.hpp>
#include <r2/testing/fake_client.hpp>

namespace {

using namespace std::chrono_literals;
using r2::errc;
using r2::testing::fake_client;

constexpr auto url = "http://user:hunter2@job.test/42?token=hunter2";

/// Runs to its end, and is told.
std::string history(r2::attempts range) {
    (void)range.finish();
    return range.summary();
}

TEST(summary, of_3_attempts_tells_each_outcome_and_why_it_gave_up) {
    fake_client fake;
    fake.reply_after(100ms, 503).reply_after(100ms, 503).hang();
    EXPECT_EQ(history(fake.get(url, {.max_attempts = 3, .timeout = 1s, .interval = 1500ms})),
              "3 attempts in 4.2s: 503, 503, timeout after 1s; gave up: exhausted");
}

TEST(summary, of_1_attempt_is_singular) {
    fake_client fake;
    fake.reply_after(250ms, 200);
    EXPECT_EQ(history(fake.get(url)), "1 attempt in 250ms: 200; succeeded");
}

TEST(summary, counts_the_waits_that_came_before_a_success) {
    fake_client fake;
    fake.reply(503).reply_after(100ms, 200);
    EXPECT_EQ(history(fake.get(url, {.interval = 2s})), "2 attempts in 2.1s: 503, 200; succeeded");
}

TEST(summary, of_a_poll_says_that_its_condition_was_met) {
    fake_client fake;
    fake.reply(202).reply(200);
    EXPECT_EQ(history(fake.get(url, {.interval = 1s, .terminate_if = r2::status_is(200)})),
              "2 attempts in 1s: 202, 200; condition_met");
}

TEST(summary, of_a_range_under_way_is_so_far) {
    fake_client fake;
    fake.reply_after(100ms, 503).reply_after(100ms, 503).reply(200);
    auto range = fake.get(url, {.interval = 1s});
    EXPECT_EQ(range.summary(), "no attempt so far");
    auto i = range.begin();
    EXPECT_FALSE(i == range.end());
    EXPECT_EQ(range.summary(), "1 attempt in 100ms so far: 503");
    ++i;
    EXPECT_FALSE(i == range.end());
    EXPECT_EQ(range.summary(), "2 attempts in 1.2s so far: 503, 503");
    const auto next = std::move(range);
    EXPECT_EQ(next.summary(), "2 attempts in 1.2s so far: 503, 503");
    EXPECT_EQ(range.summary(), "no attempt so far");  // NOLINT(bugprone-use-after-move): it says so
}

TEST(summary, collapses_3_equal_neighbours) {
    fake_client fake;
    fake.reply(500).reply(503).reply(503).reply(503).reply(500).reply(500).reply(200);
    EXPECT_EQ(history(fake.get(url, {.interval = 1s})), "7 attempts in 6s: 500, 503 ×3, 500, 500, 200; succeeded");
}

TEST(summary, collapses_timeouts_whose_times_differ_by_a_microsecond) {
    fake_client fake;
    for (const auto late : {1us, 2us, 3us}) fake.fail_after(1s + late, r2::error(errc::timeout));
    EXPECT_EQ(history(fake.get(url, {.max_attempts = 3, .interval = 1s})),
              "3 attempts in 5s: timeout after 1s ×3; gave up: exhausted");
}

TEST(summary, rounds_to_tenths_from_1s_on_to_milliseconds_and_below_1ms_to_microseconds) {
    using r2::detail::rounded;
    EXPECT_EQ(rounded(1'234'567'890ns), 1200ms);
    EXPECT_EQ(rounded(1s), 1s);
    EXPECT_EQ(rounded(987'654'321ns), 988ms);
    EXPECT_EQ(rounded(1'234'567ns), 1ms);
    EXPECT_EQ(rounded(1ms), 1ms);
    EXPECT_EQ(rounded(987'654ns), 988us);
    EXPECT_EQ(rounded(1'234ns), 1us);
}

TEST(summary, of_8_different_outcomes_tells_them_all) {
    fake_client fake;
    for (int status = 501; status <= 508; ++status) fake.reply(status);
    EXPECT_EQ(history(fake.get(url, {.max_attempts = 8, .interval = 1s})),
              "8 attempts in 7s: 501, 502, 503, 504, 505, 506, 507, 508; gave up: exhausted");
}

TEST(summary, of_9_different_outcomes_keeps_the_first_4_and_the_last_4) {
    fake_client fake;
    for (int status = 501; status <= 509; ++status) fake.reply(status);
    EXPECT_EQ(history(fake.get(url, {.max_attempts = 9, .interval = 1s})),
              "9 attempts in 8s: 501, 502, 503, 504, …, 506, 507, 508, 509; gave up: exhausted");
}

TEST(summary, of_4000_attempts_is_one_short_line) {
    fake_client fake;
    for (int i = 0; i < 1999; ++i) fake.reply(202).reply(200);
    fake.reply(202).reply(201);
    EXPECT_EQ(history(fake.get(url, {.interval = 1s, .terminate_if = r2::status_is(201)})),
              "4000 attempts in 3999s: 202, 200, 202, 200, …, 202, 200, 202, 201; condition_met");
}

TEST(summary, of_4000_equal_attempts_tells_one_outcome) {
    fake_client fake;
    for (int i = 0; i < 3999; ++i) fake.reply(202);
    fake.reply(200);
    EXPECT_EQ(history(fake.get(url, {.interval = 1s, .terminate_if = r2::status_is(200)})),
              "4000 attempts in 3999s: 202 ×3999, 200; condition_met");
}

TEST(summary, tells_errors_by_their_kind_and_no_secret) {
    fake_client fake;
    fake.fail(r2::error(errc::connect, "hunter2")).fail(r2::error(errc::disconnected, "hunter2", r2::sent::maybe));
    EXPECT_EQ(history(fake.get(url, {.max_attempts = 2, .interval = 1s})),
              "2 attempts in 1s: could not connect, disconnected; gave up: exhausted");
}

class refusing_guard : public r2::guard {
public:
    explicit refusing_guard(int from) : from_(from) {}
    r2::admission admit(const r2::request&, int number, r2::time_point) override {
        return number < from_ ? r2::admission::go() : r2::admission::refuse("budget is spent");
    }

private:
    int from_;
};

TEST(summary, of_a_refused_retry_has_the_reason) {
    fake_client fake;
    fake.reply_after(10ms, 503);
    EXPECT_EQ(history(fake.get(url, {.guards = {std::make_shared<refusing_guard>(2)}})),
              "1 attempt in 10ms: 503; gave up: refused (budget is spent)");
}

TEST(summary, of_a_refused_first_attempt_has_the_reason) {
    fake_client fake;
    EXPECT_EQ(history(fake.get(url, {.guards = {std::make_shared<refusing_guard>(1)}})),
              "1 attempt in 0s: refused; gave up: refused (budget is spent)");
}

TEST(summary, of_a_refusal_has_no_reason_where_the_guard_gave_0_or_a_callable_threw_since) {
    struct silent_guard final : r2::guard {
        r2::admission admit(const r2::request&, int, r2::time_point) override { return r2::admission::refuse({}); }
    };
    fake_client fake;
    EXPECT_EQ(history(fake.get(url, {.guards = {std::make_shared<silent_guard>()}})),
              "1 attempt in 0s: refused; gave up: refused");

    fake.reply_after(10ms, 503);
    auto range = fake.get(url, {.on_attempt = [](const r2::request&, const r2::attempt&) { throw 7; },
                                .guards = {std::make_shared<refusing_guard>(2)}});
    EXPECT_THROW((void)range.finish(), int);
    EXPECT_EQ(range.summary(), "1 attempt in 10ms: 503; gave up: threw");
}

TEST(summary, of_a_response_without_a_status_tells_0) {
    fake_client fake;
    const auto cached = [](r2::request&) { return r2::response{.body = "cached"}; };
    EXPECT_EQ(history(fake.get(url, {.before_attempt = cached})), "1 attempt in 0s: 0; succeeded");
}

TEST(summary, of_an_unusable_url_tells_so_without_it) {
    fake_client fake;
    EXPECT_EQ(history(fake.get("http://user:hunter2@job test")),
              "1 attempt in 0s: invalid request; gave up: not_retryable");
}

TEST(summary, counts_the_wait_in_which_a_stop_came) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503);
    fake.at(2s, [&] { source.request_stop(); });
    EXPECT_EQ(history(fake.get(url, {.interval = 5s, .stop = source.get_token()})),
              "1 attempt in 2s: 503; gave up: stopped");
}

TEST(summary, counts_what_after_attempt_made_of_a_response) {
    fake_client fake;
    fake.reply(200);
    const auto judge = [](const r2::request&, r2::attempt& a) { a.response()->status = 404; };
    EXPECT_EQ(history(fake.get(url, {.after_attempt = judge})), "1 attempt in 0s: 404; gave up: not_retryable");
}

TEST(summary, after_a_callable_threw_tells_what_was_before) {
    const auto thrown = [](r2::options o) {
        fake_client fake;
        fake.reply_after(1s, 503);
        auto range = fake.get(url, std::move(o));
        EXPECT_THROW((void)range.finish(), std::runtime_error);
        return range.summary();
    };
    const auto mine = std::runtime_error("hunter2");
    EXPECT_EQ(thrown({.before_attempt = [&](r2::request&) { throw mine; }}), "no attempt; gave up: threw");
    EXPECT_EQ(thrown({.after_attempt = [&](const r2::request&, r2::attempt&) { throw mine; }}),
              "1 attempt in 1s: 503; gave up: threw");
    EXPECT_EQ(thrown({.on_attempt = [&](const r2::request&, const r2::attempt&) { throw mine; }}),
              "1 attempt in 1s: 503; gave up: threw");
}

}  // namespace
