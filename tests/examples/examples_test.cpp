// Each example's predicates and loops as a user would test them: without a server, and in no time.
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <r2/testing.hpp>

#include "examples/graceful_worker.hpp"
#include "examples/log_attempts.hpp"
#include "examples/poll_job.hpp"
#include "examples/post_safely.hpp"
#include "examples/refresh_token.hpp"

namespace {

using namespace std::chrono_literals;
using r2::decide;
using r2::ended;
using r2::errc;
using r2::testing::fake_client;
using waits = std::vector<r2::duration>;

r2::options through(fake_client& fake, r2::options o) {
    o.via = &fake;
    return o;
}

std::vector<std::string> targets_of(const fake_client& fake) {
    std::vector<std::string> all;
    for (const r2::request& q : fake.requests()) all.push_back(q.method + ' ' + q.url);
    return all;
}

TEST(poll_job, is_done_unless_the_page_is_a_job_in_another_state) {
    const auto done = [](const char* body) { return examples::is_done({.status = 200, .body = body}); };
    EXPECT_TRUE(done(R"({"state": "done"})"));
    EXPECT_TRUE(done("a page"));
    EXPECT_FALSE(done(R"({"state": "running"})"));
    EXPECT_EQ(decide(examples::polling(), r2::response{.status = 200, .body = R"({"state": "done"})"}).ended,
              ended::condition_met);
    EXPECT_EQ(decide(examples::polling(), r2::response{.status = 200, .body = R"({"state": "running"})"}).ended,
              ended::not_yet);
    EXPECT_EQ(decide(examples::polling(), 404).ended, ended::not_retryable);
}

TEST(poll_job, polls_through_4_failures_and_says_what_follows) {
    fake_client fake;
    fake.reply(503)
        .fail(errc::disconnected)
        .reply(200, R"({"state": "running"})")
        .reply({.status = 429, .headers = {{"Retry-After", "1"}}})
        .reply(200, R"({"state": "done"})");
    std::ostringstream out;
    EXPECT_EQ(examples::poll({.url = "http://job.test/42"}, through(fake, examples::polling()), out),
              ended::condition_met);
    EXPECT_EQ(fake.waits(), (waits{100ms, 200ms, 400ms, 1s}));
    EXPECT_NE(out.str().find("again in 1s (retry_after)"), std::string::npos) << out.str();
}

TEST(post_safely, knows_of_3_payments_whether_they_were_made) {
    using examples::payment;
    const auto pay = [](r2::replay replay, auto script) {
        fake_client fake;
        script(fake);
        std::ostringstream out;
        const payment known =
            examples::pay("http://shop.test/", through(fake, {.max_attempts = 3, .replay = replay}), out);
        EXPECT_EQ(fake.unused(), 0U);
        return known;
    };
    const auto lost = [](fake_client& f) { f.fail(errc::disconnected); };
    const auto lost_then_made = [](fake_client& f) { f.fail(errc::disconnected).reply(201); };
    const auto never_left = [](fake_client& f) { f.fail(errc::connect).times(3); };
    const auto lost_then_never_left = [](fake_client& f) { f.fail(errc::disconnected).fail(errc::connect).times(2); };
    EXPECT_EQ(pay(r2::replay::when_safe, lost), payment::unknown);
    EXPECT_EQ(pay(r2::replay::always, lost_then_made), payment::made);
    EXPECT_EQ(pay(r2::replay::when_safe, never_left), payment::not_made);
    EXPECT_EQ(pay(r2::replay::always, lost_then_never_left), payment::unknown);
}

TEST(refresh_token, gets_1_fresh_token_and_tries_it_once) {
    for (const bool welcome : {true, false}) {
        fake_client fake;
        fake.reply_with([&](const r2::request& q) {
                return welcome && q.headers.get("Authorization") == "Bearer fresh" ? 200 : 401;
            })
            .forever();
        int fetched = 0;
        const auto fetch = [&] {
            ++fetched;
            return "fresh";
        };
        examples::credentials mine{.token = "expired", .fresh_token = fetch};
        std::ostringstream out;
        EXPECT_EQ(examples::get_guarded("http://vault.test/", mine, through(fake, {.max_attempts = 4}), out),
                  welcome ? ended::succeeded : ended::not_retryable);
        EXPECT_EQ(fetched, 1);
        ASSERT_EQ(fake.requests().size(), 2U);
        EXPECT_EQ(fake.requests()[0].headers.get("Authorization"), "Bearer expired");
        EXPECT_EQ(fake.requests()[1].headers.get("Authorization"), "Bearer fresh");
    }
}

TEST(log_attempts, counts_and_logs_4_attempts_of_2_requests) {
    fake_client fake;
    fake.reply_after(20ms, 503).reply(200, "one").fail(errc::connect).reply(404);
    std::ostringstream log, out;
    examples::metrics seen{.log = log};
    examples::print_all({"http://a.test/", "http://b.test/"}, through(fake, examples::watched_by(seen)), out);
    EXPECT_EQ(out.str(), "one\n");
    EXPECT_EQ(seen.attempts, 4);
    EXPECT_EQ(seen.sends, 3);
    EXPECT_EQ(seen.busy, 20ms);
    EXPECT_EQ(seen.waiting, 100ms);
    EXPECT_EQ(seen.outcomes["503"], 1);
    EXPECT_EQ(log.str(),
              "GET #1: 503 in 20ms, waits 50ms for backoff\n"
              "GET #2: 200 in 0s, succeeded\n"
              "GET #1: could not connect in 0s, waits 50ms for backoff\n"
              "GET #2: 404 in 0s, not_retryable\n");
}

/// One worker and one message, stopped after 5 s, while API 2 takes 10 s to answer.
std::vector<std::string> stopped_in_api_2(const examples::design& how) {
    fake_client fake;
    r2::shutdown down{.grace = how.grace, .cleanup = 5s};
    fake.reply(200, "7").reply(200).reply_after(10s, 200).reply(200).forever();
    fake.at(5s, [&] { down.request(); });
    examples::work("http://host", down, how, through(fake, examples::call_options()));
    return targets_of(fake);
}

TEST(graceful_worker, acknowledges_within_its_grace_or_else_rolls_back_all_2_things) {
    EXPECT_EQ(stopped_in_api_2({.grace = 20s}),
              (std::vector<std::string>{"POST http://host/queue", "PUT http://host/api-1/7", "PUT http://host/api-2/7",
                                        "PUT http://host/acknowledged/7"}));
    EXPECT_EQ(stopped_in_api_2({}),
              (std::vector<std::string>{"POST http://host/queue", "PUT http://host/api-1/7", "PUT http://host/api-2/7",
                                        "DELETE http://host/api-2/7", "DELETE http://host/api-1/7",
                                        "PUT http://host/given-back/7"}));
    EXPECT_EQ(stopped_in_api_2({.detached = false}).size(), 3U) << "nobody is told";
}

}  // namespace
