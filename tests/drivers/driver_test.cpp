#include <gtest/gtest.h>

#include <memory>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <r2/policy/latency_log.hpp>
#include <r2/testing/fake_client.hpp>
#include <r2/testing/virtual_transport.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::wait_source;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
using waits = std::vector<r2::duration>;

static_assert(std::ranges::input_range<r2::attempts>);
static_assert(std::ranges::view<r2::attempts>);
static_assert(!std::copyable<r2::attempts>);
static_assert(std::same_as<std::ranges::range_reference_t<r2::attempts>, r2::attempt&>);

r2::options no_jitter(r2::options o = {}) {
    o.jitter = r2::jitter::none();
    return o;
}

// Promise 1: lazy.

TEST(laziness, unused_range_sends_nothing) {
    fake_client fake;
    { [[maybe_unused]] const auto range = fake.get(url); }
    EXPECT_EQ(fake.requests().size(), 0U);
}

TEST(laziness, begin_and_plus_plus_send_no_more_than_was_asked_to_be_seen) {
    fake_client fake;
    fake.reply(503).reply(503).reply(503);
    auto range = fake.get(url);
    auto i = range.begin();
    EXPECT_EQ(fake.requests().size(), 0U);
    ++i;  // the first is pulled, the second only marked
    EXPECT_EQ(fake.requests().size(), 1U);
    EXPECT_EQ(i->number(), 2);
    EXPECT_EQ(fake.requests().size(), 2U);
    EXPECT_EQ((*i).number(), 2);
    EXPECT_FALSE(i == range.end());
    EXPECT_EQ(fake.requests().size(), 2U);
}

TEST(laziness, take_3_sends_3_requests) {
    fake_client fake;
    fake.reply(503).reply(503).reply(503).reply(200);
    int seen = 0;
    for (auto&& a : fake.get(url) | std::views::take(3)) seen += a.response() != nullptr;
    EXPECT_EQ(seen, 3);
    EXPECT_EQ(fake.requests().size(), 3U);
    EXPECT_EQ(fake.waits().size(), 2U);
}

TEST(laziness, break_sends_nothing_more_and_begin_resumes_at_the_current_attempt) {
    fake_client fake;
    fake.reply(503).reply(503).reply(200);
    auto range = fake.get(url);
    for (auto& a : range)
        if (a.number() == 2) break;
    EXPECT_EQ(fake.requests().size(), 2U);
    std::vector<int> numbers;
    for (auto& a : range) numbers.push_back(a.number());
    EXPECT_EQ(numbers, (std::vector{2, 3}));
    EXPECT_EQ(range.ended(), ended::succeeded);
    EXPECT_TRUE(range.begin() == range.end());
}

TEST(laziness, a_named_range_is_piped_by_move_or_by_reference) {
    fake_client fake;
    fake.reply(503).reply(503).reply(200);
    auto range = fake.get(url);
    for ([[maybe_unused]] auto& a : std::ranges::ref_view(range) | std::views::take(1)) {
    }
    EXPECT_EQ(fake.requests().size(), 1U);
    std::vector<int> rest;
    for (auto& a : std::move(range) | std::views::filter([](auto&) { return true; })) rest.push_back(a.number());
    EXPECT_EQ(rest, (std::vector{2, 3}));
}

// Promises 2 and 3: every attempt is seen, every end has a reason.

TEST(attempts, explain_themselves) {
    fake_client fake;
    fake.reply_after(20ms, 503).fail_after(1s, {errc::timeout, {}, r2::sent::maybe}).reply_after(5ms, 200);
    std::vector<r2::attempt> seen;
    for (auto& a : fake.get(url, no_jitter({.backoff = r2::backoff::linear(100ms)}))) seen.push_back(a);
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].number(), 1);
    EXPECT_EQ(seen[0].response()->status, 503);
    EXPECT_EQ(seen[0].sends(), 1);
    EXPECT_EQ(seen[0].elapsed(), 20ms);
    EXPECT_EQ(seen[0].wait(), 100ms);
    EXPECT_EQ(seen[0].wait_from(), wait_source::backoff);
    EXPECT_FALSE(seen[0].is_last());
    EXPECT_EQ(seen[1].response(), nullptr);
    EXPECT_EQ(seen[1].error(), errc::timeout);
    EXPECT_EQ(seen[1].wait(), 200ms);
    EXPECT_EQ(seen[2].number(), 3);
    EXPECT_EQ(seen[2].wait(), 0s);
    EXPECT_EQ(seen[2].wait_from(), wait_source::none);
    EXPECT_TRUE(seen[2].is_last());
    EXPECT_EQ(seen[2].ended(), ended::succeeded);
    EXPECT_EQ(fake.waits(), (waits{100ms, 200ms}));
}

TEST(attempts, of_a_bad_request_are_one_with_an_error) {
    fake_client fake;
    const auto last = fake.send({.method = "GE T", .url = url}).finish();
    EXPECT_EQ(last.error(), errc::invalid_request);
    EXPECT_EQ(last.sends(), 0);
    EXPECT_EQ(last.ended(), ended::not_retryable);
    EXPECT_EQ(fake.requests().size(), 0U);
}

TEST(attempts, the_body_is_moved_out_and_outlives_the_range) {
    fake_client fake;
    fake.reply({.status = 200, .body = std::string(1000, 'x')});
    std::string body;
    for (auto&& [res, err] : fake.get(url))
        if (res) body = std::move(res->body);
    EXPECT_EQ(body.size(), 1000U);
}

TEST(attempts, ended_is_known_at_the_last_attempt_and_not_before) {
    fake_client fake;
    fake.reply(503).reply(200);
    auto range = fake.get(url);
    std::vector<ended> seen;
    for ([[maybe_unused]] auto& a : range) seen.push_back(range.ended());
    EXPECT_EQ(seen, (std::vector{ended::not_yet, ended::succeeded}));
}

TEST(finish, runs_to_the_end_and_returns_the_last) {
    fake_client fake;
    fake.reply(503).reply(503).reply({.status = 200, .body = "done"});
    const auto last = fake.get(url).finish();
    EXPECT_EQ(last.number(), 3);
    EXPECT_EQ(last.response()->body, "done");
}

TEST(finish, after_a_break_goes_on_from_there) {
    fake_client fake;
    fake.reply(503).reply(503).reply(200);
    auto range = fake.get(url);
    for ([[maybe_unused]] auto& a : range) break;
    EXPECT_EQ(range.finish().number(), 3);
    EXPECT_EQ(fake.requests().size(), 3U);
}

TEST(finish, of_a_range_that_was_moved_from_is_an_error) {
    fake_client fake;
    fake.reply(200);
    auto range = fake.get(url);
    auto other = std::move(range);
    EXPECT_EQ(range.finish().error(), errc::invalid_request);  // NOLINT: what is left after a move is the point
    EXPECT_TRUE(range.begin() == range.end());
    EXPECT_EQ(other.finish().response()->status, 200);
}

// The rules of the loop.

TEST(rules, max_attempts_counts_attempts_not_retries) {
    fake_client fake;
    fake.reply(503).reply(503).reply(503);
    const auto last = fake.get(url, {.max_attempts = 3}).finish();
    EXPECT_EQ(last.ended(), ended::exhausted);
    EXPECT_EQ(last.number(), 3);
    EXPECT_EQ(fake.waits().size(), 2U);
}

TEST(rules, polling_goes_on_after_success_until_the_condition_is_met) {
    fake_client fake;
    fake.reply(202).reply({.status = 200, .body = "running"}).reply({.status = 200, .body = "done"});
    auto range = fake.get(url, {.interval = 3s, .terminate_if = r2::body_contains("done")});
    const auto last = range.finish();
    EXPECT_EQ(last.ended(), ended::condition_met);
    EXPECT_EQ(fake.waits(), (waits{3s, 3s}));
}

TEST(rules, a_404_ends_even_where_terminate_if_is_false) {
    fake_client fake;
    fake.reply(404);
    EXPECT_EQ(fake.get(url, {.terminate_if = r2::status_is(200)}).finish().ended(), ended::not_retryable);
}

TEST(rules, terminate_if_is_asked_of_429_and_of_errors) {
    fake_client fake;
    fake.reply(429).fail(errc::connect);
    EXPECT_EQ(fake.get(url, {.terminate_if = r2::status_is(429)}).finish().ended(), ended::condition_met);
    EXPECT_EQ(fake.get(url, {.terminate_if = r2::failed_with(errc::connect)}).finish().ended(), ended::condition_met);
}

TEST(rules, retry_after_replaces_the_interval_and_has_no_jitter) {
    fake_client fake;
    fake.reply({.status = 429, .headers = {{"Retry-After", "7"}}}).reply(503).reply(200);
    std::vector<wait_source> from;
    for (auto& a : fake.get(url, {.interval = 2s})) from.push_back(a.wait_from());
    EXPECT_EQ(fake.waits(), (waits{7s, 2s}));
    EXPECT_EQ(from, (std::vector{wait_source::retry_after, wait_source::interval, wait_source::none}));
}

TEST(rules, a_date_counts_against_the_wall_clock_where_the_response_has_no_date) {
    fake_client fake;
    fake.reply_after(10s, {.status = 503, .headers = {{"Retry-After", "Thu, 01 Jan 2026 00:00:30 GMT"}}}).reply(200);
    EXPECT_EQ(fake.get(url).finish().ended(), ended::succeeded);
    EXPECT_EQ(fake.waits(), (waits{20s}));
}

TEST(rules, a_date_is_past_once_the_wall_clock_has_come_to_its_last_moment) {
    fake_client fake;
    fake.advance(r2::duration::max() / 8 * 7);  // the wall clock began in 2026, and ends in 2262
    fake.reply({.status = 503, .headers = {{"Retry-After", "Thu, 01 Jan 2026 00:00:07 GMT"}}}).reply(200);
    EXPECT_EQ(fake.get(url, {.interval = 1s}).finish().ended(), ended::succeeded);
    EXPECT_EQ(fake.waits(), (waits{1s}));
}

TEST(rules, the_wait_runs_from_the_decision_so_that_the_loops_body_counts_towards_it) {
    fake_client fake;
    fake.reply(503).reply(503).reply(200);
    for (auto& a : fake.get(url, {.interval = 5s}))
        if (a.number() == 1) fake.advance(2s);
    EXPECT_EQ(fake.waits(), (waits{3s, 5s}));
}

TEST(rules, timeout_cuts_an_attempt_and_says_how_far_it_came) {
    fake_client fake;
    fake.hang().hang(r2::sent::no);
    std::vector<std::string> messages;
    std::vector<r2::sent> sent;
    for (auto&& [res, err] : fake.get(url, {.max_attempts = 2, .timeout = 1500ms})) {
        EXPECT_EQ(err, std::errc::timed_out);
        messages.push_back(err.message());
        sent.push_back(err.sent());
    }
    EXPECT_EQ(messages,
              (std::vector<std::string>{"timeout: no complete response within 1.5s", "timeout: not sent within 1.5s"}));
    EXPECT_EQ(sent, (std::vector{r2::sent::maybe, r2::sent::no}));
}

TEST(rules, a_sleep_that_would_end_past_the_deadline_is_not_slept) {
    fake_client fake;
    fake.reply(503).reply(503);
    auto range = fake.get(url, {.interval = 4s, .deadline = 8s});
    const auto last = range.finish();
    EXPECT_EQ(last.number(), 2);
    EXPECT_EQ(last.ended(), ended::deadline);
    EXPECT_EQ(fake.now(), 4s);
}

TEST(rules, the_deadline_cuts_the_attempt_in_flight) {
    fake_client fake;
    fake.hang();
    const auto last = fake.get(url, {.timeout = 10s, .deadline = 3s}).finish();
    EXPECT_EQ(last.error(), errc::timeout);
    EXPECT_EQ(last.ended(), ended::deadline);
    EXPECT_EQ(fake.now(), 3s);
}

TEST(rules, a_deadline_that_passes_in_the_loops_body_ends_the_range_without_another_attempt) {
    fake_client fake;
    fake.reply(503);
    auto range = fake.get(url, {.interval = 1s, .deadline = 5s});
    for ([[maybe_unused]] auto& a : range) fake.advance(6s);
    EXPECT_EQ(range.ended(), ended::deadline);
    EXPECT_EQ(fake.requests().size(), 1U);
    const auto last = range.finish();
    EXPECT_EQ(last.ended(), ended::deadline);
    EXPECT_EQ(last.wait(), 0s);
}

TEST(rules, the_deadline_runs_from_the_first_pull) {
    fake_client fake;
    fake.reply(503).reply(200);
    auto range = fake.get(url, {.interval = 1s, .deadline = 5s});
    fake.advance(1h);
    EXPECT_EQ(range.finish().ended(), ended::succeeded);
}

TEST(rules, what_is_not_safe_to_replay_ends_unless_it_was_not_sent) {
    fake_client fake;
    const r2::error maybe(errc::disconnected, {}, r2::sent::maybe);
    fake.fail(errc::connect).fail(maybe);
    const auto last = fake.post(url, "x", {.replay = r2::replay::when_safe}).finish();
    EXPECT_EQ(last.number(), 2);
    EXPECT_EQ(last.ended(), ended::unsafe_to_replay);

    fake.fail(maybe).reply(200).fail(maybe).reply(200);
    EXPECT_EQ(fake.post(url, "x", {.idempotency_key = "k", .replay = r2::replay::when_safe}).finish().number(), 2);
    EXPECT_EQ(fake.post(url, "x").finish().number(), 2);  // always, as the default
}

TEST(rules, zero_and_negative_options_are_not_set) {
    fake_client fake;
    fake.reply(503).reply_after(1h, 200);
    const auto last =
        fake.get(url,
                 no_jitter({.max_attempts = -1, .timeout = -1s, .interval = -5s, .deadline = -1s, .stop_grace = -1s}))
            .finish();
    EXPECT_EQ(last.ended(), ended::succeeded);
    EXPECT_EQ(fake.waits(), (waits{2s}));
}

// Promise 6 on virtual time: stop.

TEST(stop, before_the_start_is_one_attempt_that_was_not_sent) {
    fake_client fake;
    std::stop_source source;
    source.request_stop();
    const auto last = fake.get(url, {.stop = source.get_token()}).finish();
    EXPECT_EQ(last.error(), errc::stopped);
    EXPECT_EQ(last.error().sent(), r2::sent::no);
    EXPECT_EQ(last.ended(), ended::stopped);
    EXPECT_EQ(fake.requests().size(), 0U);
}

TEST(stop, in_a_wait_ends_it_with_no_further_attempt_which_only_the_range_and_finish_know) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503).reply(200);
    fake.at(10s, [&] { source.request_stop(); });
    auto range = fake.get(url, {.interval = 1h, .stop = source.get_token()});
    int seen = 0;
    for (auto& a : range) {
        ++seen;
        EXPECT_FALSE(a.is_last());
    }
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(range.ended(), ended::stopped);
    EXPECT_EQ(fake.now(), 10s);
    const auto last = range.finish();
    EXPECT_TRUE(last.is_last());
    EXPECT_EQ(last.ended(), ended::stopped);
}

TEST(stop, in_the_first_moment_of_a_wait_leaves_no_sleep_of_0_behind) {
    fake_client fake;
    std::stop_source stop;
    fake.reply(503).stop_at(0s, stop);
    EXPECT_EQ(fake.get(url, {.interval = 1s, .stop = stop.get_token()}).finish().ended(), ended::stopped);
    EXPECT_EQ(fake.waits(), waits{});
}

TEST(stop, cuts_the_attempt_in_flight_at_once_without_grace) {
    fake_client fake;
    std::stop_source source;
    fake.hang();
    fake.at(300ms, [&] { source.request_stop(); });
    const auto last =
        fake.get(url, {.terminate_if = r2::failed_with(errc::stopped), .stop = source.get_token()}).finish();
    EXPECT_EQ(last.error(), errc::stopped);
    EXPECT_EQ(last.error().sent(), r2::sent::maybe);
    EXPECT_EQ(last.ended(), ended::stopped);  // before terminate_if is asked
    EXPECT_EQ(fake.now(), 300ms);
}

TEST(stop, with_grace_lets_the_attempt_in_flight_finish_and_sends_nothing_more) {
    fake_client fake;
    std::stop_source source;
    fake.reply_after(1s, 503);
    fake.at(300ms, [&] { source.request_stop(); });
    const auto last = fake.get(url, {.stop = source.get_token(), .stop_grace = 2s}).finish();
    EXPECT_EQ(last.response()->status, 503);
    EXPECT_EQ(last.ended(), ended::stopped);
    EXPECT_EQ(fake.now(), 1s);
}

TEST(stop, grace_ends_at_the_earliest_of_timeout_deadline_and_stop_plus_grace) {
    struct row {
        r2::options o;
        r2::duration at;
        errc kind;
    };
    const row rows[] = {{{.stop_grace = 1s}, 1300ms, errc::stopped},
                        {{.timeout = 1s, .stop_grace = 1s}, 1s, errc::timeout},
                        {{.deadline = 500ms, .stop_grace = 1s}, 500ms, errc::timeout}};
    for (auto row : rows) {
        fake_client fake;
        std::stop_source source;
        fake.hang();
        fake.at(300ms, [&] { source.request_stop(); });
        row.o.stop = source.get_token();
        const auto last = fake.get(url, row.o).finish();
        EXPECT_EQ(last.error(), row.kind);
        EXPECT_EQ(last.ended(), ended::stopped);
        EXPECT_EQ(fake.now(), row.at);
    }
}

TEST(stop, in_the_loops_body_is_seen_at_the_next_pull) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503);
    auto range = fake.get(url, {.interval = 1s, .stop = source.get_token()});
    for ([[maybe_unused]] auto& a : range) source.request_stop();
    EXPECT_EQ(range.ended(), ended::stopped);
    EXPECT_EQ(fake.requests().size(), 1U);
    EXPECT_EQ(fake.now(), 0s);
}

TEST(stop, during_before_attempt_sends_nothing) {
    fake_client fake;
    std::stop_source source;
    const auto last =
        fake.get(url, {.before_attempt = [&](r2::request&) { source.request_stop(); }, .stop = source.get_token()})
            .finish();
    EXPECT_EQ(last.error(), errc::stopped);
    EXPECT_EQ(fake.requests().size(), 0U);
}

TEST(stop, a_detached_policy_runs_after_a_stop_within_its_own_deadline) {
    fake_client fake;
    std::stop_source source;
    source.request_stop();
    fake.reply(200).hang();
    const r2::options policy{.deadline = 1h, .stop = source.get_token(), .stop_grace = 1s};
    EXPECT_EQ(fake.del(url, policy.detached(5s)).finish().ended(), ended::succeeded);
    EXPECT_EQ(fake.del(url, policy.detached(5s)).finish().ended(), ended::deadline);
    EXPECT_EQ(fake.now(), 5s);
}

// The user's callables.

TEST(hooks, before_attempt_changes_only_this_attempts_own_copy) {
    fake_client fake;
    fake.reply(503).reply(200);
    const auto sign = [](r2::request& q, int number) { q.headers.add("X-Number", std::to_string(number)); };
    EXPECT_EQ(fake.get(url, {.before_attempt = sign}).finish().ended(), ended::succeeded);
    ASSERT_EQ(fake.requests().size(), 2U);
    EXPECT_EQ(fake.requests()[0].headers, (r2::headers{{"X-Number", "1"}}));
    EXPECT_EQ(fake.requests()[1].headers, (r2::headers{{"X-Number", "2"}}));
}

TEST(hooks, before_attempt_answers_without_sending) {
    fake_client fake;
    fake.reply(503);
    const auto cached = [](r2::request&, int number) -> std::optional<r2::response> {
        if (number == 1) return std::nullopt;
        return r2::response{.status = 200, .body = "cached"};
    };
    const auto last = fake.get(url, {.before_attempt = cached}).finish();
    EXPECT_EQ(last.number(), 2);
    EXPECT_EQ(last.response()->body, "cached");
    EXPECT_EQ(last.sends(), 0);
    EXPECT_EQ(fake.requests().size(), 1U);
}

TEST(hooks, an_answer_without_a_status_is_below_400_and_so_a_success) {
    fake_client fake;
    const auto cached = [](r2::request&) { return r2::response{.body = "cached"}; };
    EXPECT_EQ(fake.get(url, {.before_attempt = cached}).finish().ended(), ended::succeeded);
}

TEST(finish, after_a_throw_before_the_first_attempt_says_so) {
    fake_client fake;
    auto range = fake.get(url, {.before_attempt = [](r2::request&) { throw std::domain_error("mine"); }});
    EXPECT_THROW((void)range.finish(), std::domain_error);
    EXPECT_EQ(range.finish().ended(), ended::threw);
}

TEST(hooks, after_attempt_changes_the_response_before_the_decision) {
    fake_client fake;
    fake.reply({.status = 200, .body = "error: busy"}).reply({.status = 200, .body = "ok"});
    const auto judge = [](const r2::request&, r2::attempt& a) {
        if (a.response() && a.response()->body.starts_with("error")) a.response()->status = 503;
    };
    EXPECT_EQ(fake.get(url, {.after_attempt = judge}).finish().number(), 2);
}

TEST(hooks, after_attempt_may_put_another_outcome_in_place_but_not_another_history) {
    fake_client fake;
    fake.fail_after(2s, {errc::disconnected, {}, r2::sent::maybe});
    const auto judge = [](const r2::request&, r2::attempt& a) { a = r2::attempt(r2::response{.status = 204}); };
    const auto last = fake.get(url, {.after_attempt = judge}).finish();
    EXPECT_EQ(last.response()->status, 204);
    EXPECT_EQ(last.sends(), 1);
    EXPECT_EQ(last.elapsed(), 2s);
    EXPECT_EQ(last.ended(), ended::succeeded);
}

TEST(hooks, on_attempt_sees_each_attempt_with_its_decision) {
    fake_client fake;
    fake.reply(503).reply(200);
    std::vector<std::string> log;
    const auto note = [&](const r2::request& q, const r2::attempt& a) {
        log.push_back(q.method + " " + std::to_string(a.number()) + " " + std::string(to_string(a.ended())));
    };
    EXPECT_EQ(fake.get(url, {.on_attempt = note}).finish().number(), 2);
    EXPECT_EQ(log, (std::vector<std::string>{"GET 1 not_yet", "GET 2 succeeded"}));
}

struct callable_that_throws {
    const char* name;
    r2::options o;
};

class throwing : public ::testing::TestWithParam<callable_that_throws> {};

TEST_P(throwing, ends_the_range_with_the_users_own_exception) {
    fake_client fake;
    fake.reply(503).reply(200);
    auto range = fake.get(url, GetParam().o);
    std::string caught;
    try {
        for ([[maybe_unused]] auto& a : range) {
        }
    } catch (const std::domain_error& e) {
        caught = e.what();
    }
    EXPECT_EQ(caught, "mine");
    EXPECT_EQ(range.ended(), ended::threw);
    EXPECT_TRUE(range.begin() == range.end());
}

[[noreturn]] void oops() { throw std::domain_error("mine"); }

INSTANTIATE_TEST_SUITE_P(
    callable, throwing,
    ::testing::Values(
        callable_that_throws{"terminate_if", {.terminate_if = [](const r2::response&) -> bool { oops(); }}},
        callable_that_throws{"retry_if", {.retry_if = [](const r2::attempt&) -> bool { oops(); }}},
        callable_that_throws{"backoff", {.backoff = r2::backoff::custom([](int) -> r2::duration { oops(); })}},
        callable_that_throws{"before_attempt", {.before_attempt = [](r2::request&) { oops(); }}},
        callable_that_throws{"after_attempt", {.after_attempt = [](const r2::request&, r2::attempt&) { oops(); }}},
        callable_that_throws{"on_attempt", {.on_attempt = [](const r2::request&, const r2::attempt&) { oops(); }}}),
    [](const auto& p) { return p.param.name; });

TEST(finish, after_on_attempt_threw_at_the_last_attempt_keeps_the_decision_on_it) {
    fake_client fake;
    fake.reply(200);
    auto range = fake.get(url, {.on_attempt = [](const r2::request&, const r2::attempt&) { oops(); }});
    EXPECT_THROW((void)range.finish(), std::domain_error);
    EXPECT_EQ(range.ended(), ended::threw);
    EXPECT_EQ(range.finish().ended(), ended::succeeded);
}

// The transport of a range.

/// Lends as many transports as it has.
struct small_pool : r2::detail::transport_pool {
    std::unique_ptr<r2::detail::transport> take() override {
        if (left == 0) return nullptr;
        --left;
        return std::make_unique<r2::testing::detail::virtual_transport>(world);
    }
    void give_back(std::unique_ptr<r2::detail::transport>) noexcept override { ++left; }
    r2::detail::latency_log& latencies() noexcept override { return log; }
    r2::detail::latency_log log;
    std::shared_ptr<r2::testing::detail::world> world = std::make_shared<r2::testing::detail::world>();
    int left = 0;
};

struct pool_client : r2::client {
    explicit pool_client(std::shared_ptr<r2::detail::transport_pool> p) : client(on_transports(), std::move(p)) {}
};

TEST(transports, of_a_range_is_given_back_at_its_last_attempt) {
    const auto pool = std::make_shared<small_pool>();
    pool->left = 1;
    const auto cached = [](r2::request&) { return r2::response{.status = 204}; };
    auto range = pool_client(pool).get(url, {.before_attempt = cached});
    EXPECT_EQ(pool->left, 1) << "it is taken at the first pull";
    EXPECT_EQ(range.begin()->response()->status, 204);
    EXPECT_EQ(pool->left, 1);
}

TEST(transports, that_are_lacking_make_1_attempt_with_an_error_which_on_attempt_sees) {
    const pool_client poor(std::make_shared<small_pool>());
    int seen = 0;
    auto range = poor.get(
        url, {.on_attempt = [&](const r2::request&, const r2::attempt& a) { seen += a.error() == errc::local; }});
    const auto last = range.finish();
    EXPECT_EQ(last.error(), errc::local);
    EXPECT_EQ(last.ended(), ended::not_retryable);
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(range.summary(), "1 attempt in 0s: local failure; gave up: not_retryable");

    auto throwing = poor.get(url, {.on_attempt = [](const r2::request&, const r2::attempt&) { oops(); }});
    EXPECT_THROW((void)throwing.finish(), std::domain_error);
    EXPECT_EQ(throwing.ended(), ended::threw);
}

TEST(transports, that_a_pool_fails_to_make_end_the_range_with_its_exception) {
    struct broken_pool : small_pool {
        std::unique_ptr<r2::detail::transport> take() override { oops(); }
    };
    auto range = pool_client(std::make_shared<broken_pool>()).get(url);
    EXPECT_THROW((void)range.finish(), std::domain_error);
    EXPECT_EQ(range.ended(), ended::threw);
    EXPECT_EQ(range.summary(), "no attempt; gave up: threw");
}

TEST(hooks, predicates_are_asked_only_as_far_as_the_rules_get) {
    fake_client fake;
    fake.reply(200);
    int asked = 0;
    const auto last = fake.get(url, {.retry_if = [&](const r2::attempt&) { return ++asked > 0; }}).finish();
    EXPECT_EQ(last.ended(), ended::succeeded);
    EXPECT_EQ(asked, 0);
}

}  // namespace
