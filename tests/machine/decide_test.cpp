#include <gtest/gtest.h>

#include <stdexcept>

#include <r2/machine/decide.hpp>

namespace {

using namespace std::chrono_literals;
using r2::decide;
using r2::decision;
using r2::ended;
using r2::errc;
using r2::wait_source;

const r2::options policy{.max_attempts = 3, .deadline = 1min};

TEST(decide, takes_a_status_an_errc_a_response_an_error_or_an_attempt) {
    EXPECT_EQ(decide(policy, 200).ended, ended::succeeded);
    EXPECT_EQ(decide(policy, 404).ended, ended::not_retryable);
    EXPECT_EQ(decide(policy, errc::connect).ended, ended::not_yet);
    EXPECT_EQ(decide(policy, errc::invalid_request).ended, ended::not_retryable);
    EXPECT_EQ(decide(policy, errc::stopped).ended, ended::stopped);
    EXPECT_EQ(decide(policy, r2::error(errc::disconnected)).ended, ended::not_yet);
    EXPECT_EQ(decide(policy, r2::attempt(r2::response{.status = 201})).ended, ended::succeeded);
    const r2::response asks{.status = 503, .headers = {{"Retry-After", "7"}}};
    EXPECT_EQ(decide(policy, asks), (decision{ended::not_yet, 7s, wait_source::retry_after}));
}

TEST(decide, knows_the_number_the_time_the_chance_and_the_stop) {
    EXPECT_EQ(decide(policy, 503), (decision{ended::not_yet, 1s, wait_source::backoff}));
    EXPECT_EQ(decide(policy, 503, {.chance = 0.25}).wait, 500ms);
    EXPECT_EQ(decide(policy, 503, {.number = 2}).wait, 2s);
    EXPECT_EQ(decide(policy, 503, {.number = 3}).ended, ended::exhausted);
    EXPECT_EQ(decide(policy, 503, {.elapsed = 59s}).ended, ended::deadline);
    EXPECT_EQ(decide(policy, 503, {.elapsed = 59s - 1ns}).ended, ended::not_yet);
    EXPECT_EQ(decide(policy, 503, {.stop_requested = true}).ended, ended::stopped);
    EXPECT_EQ(decide(policy, 200, {.stop_requested = true}).ended, ended::succeeded);
}

TEST(decide, asks_the_users_predicates_whose_exceptions_come_out) {
    r2::options polling = policy;
    polling.terminate_if = r2::status_is(201);
    EXPECT_EQ(decide(polling, 200).ended, ended::not_yet);
    EXPECT_EQ(decide(polling, 201).ended, ended::condition_met);
    polling.retry_if = [](const r2::response& res) { return res.status == 418; };
    EXPECT_EQ(decide(polling, 418).ended, ended::not_yet);
    EXPECT_EQ(decide(polling, 503).ended, ended::not_retryable);
    polling.terminate_if = [](const r2::response&) -> bool { throw std::runtime_error("no"); };
    EXPECT_THROW(decide(polling, 200), std::runtime_error);
}

TEST(decide, shows_predicates_the_number_of_the_attempt) {
    r2::options twice;
    twice.retry_if = [](const r2::attempt& a) { return a.number() < 2; };
    EXPECT_EQ(decide(twice, 503).ended, ended::not_yet);
    EXPECT_EQ(decide(twice, 503, {.number = 2}).ended, ended::not_retryable);
    twice.retry_if = [](const r2::attempt& a) { return a.number() == 1; };
    EXPECT_EQ(decide(twice, 503).ended, ended::not_yet) << "1 unless set";
}

TEST(decide, replays_a_post_by_its_method_its_key_or_its_headers) {
    r2::options careful = policy;
    careful.replay = r2::replay::when_safe;
    EXPECT_EQ(decide(careful, errc::timeout).ended, ended::not_yet) << "a GET";
    EXPECT_EQ(decide(careful, errc::timeout, {.method = "POST"}).ended, ended::unsafe_to_replay);
    EXPECT_EQ(decide(careful, errc::connect, {.method = "POST"}).ended, ended::not_yet) << "nothing was sent";
    careful.headers = {{"idempotency-key", "7"}};
    EXPECT_EQ(decide(careful, errc::timeout, {.method = "POST"}).ended, ended::not_yet);
    careful.headers = {};
    careful.idempotency_key = "7";
    EXPECT_EQ(decide(careful, errc::timeout, {.method = "POST"}).ended, ended::not_yet);
}

TEST(decide, goes_on_from_the_previous_wait_and_the_date_that_it_is_given) {
    r2::options o;
    o.jitter = r2::jitter::decorrelated(1s, 20s);
    EXPECT_EQ(decide(o, 503).wait, 2s);
    EXPECT_EQ(decide(o, 503, {.previous_wait = 4s}).wait, 6500ms);
    const r2::response dated{.status = 503, .headers = {{"Retry-After", "Thu, 01 Jan 2026 00:00:30 GMT"}}};
    const r2::wall_time new_year{std::chrono::sys_days(2026y / 1 / 1)};
    EXPECT_EQ(decide(o, dated, {.wall_now = new_year}).wait, 30s);
    EXPECT_EQ(decide(o, dated, {.wall_now = new_year + 1h}).wait_from, wait_source::backoff);
    const r2::response far{.status = 503, .headers = {{"Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT"}}};
    EXPECT_EQ(decide(o, far).ended, ended::retry_after_too_long) << "by the real clock";
}

}  // namespace
