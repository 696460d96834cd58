// Each example's predicates and loops as a user would test them: without a server, and in no time.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <r2/testing.hpp>

#include "examples/graceful_worker.hpp"
#include "examples/log_attempts.hpp"
#include "examples/poll_job.hpp"
#include "examples/poll_jobs.hpp"
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

TEST(poll_jobs, tells_4_times_how_far_it_is) {
    using examples::line_on, examples::standing;
    const standing begun{.all = 1000};
    const standing soon{.all = 1000, .over = 9, .in_flight = 32, .attempts = 500, .elapsed = 1s};
    const standing later{.all = 1000, .over = 250, .failed = 5, .in_flight = 32, .attempts = 5000, .elapsed = 5s};
    const standing end{.all = 1000, .over = 1000, .failed = 10, .attempts = 9000, .elapsed = 10s};
    EXPECT_EQ(line_on("done", begun, begun), "done 0, in flight 0, waiting 1000, failed 0, 0/s, - left");
    EXPECT_EQ(line_on("done", begun, soon), "done 9, in flight 32, waiting 959, failed 0, 500/s, - left");
    EXPECT_EQ(line_on("done", begun, later), "done 245, in flight 32, waiting 718, failed 5, 1000/s, 0:15 left");
    EXPECT_EQ(line_on("done", later, end), "done 990, in flight 0, waiting 0, failed 10, 800/s, 0:00 left");
}

TEST(poll_jobs, expects_2_hours_of_1000_jobs_that_take_7200ms_each) {
    const examples::standing before{.all = 1000, .elapsed = 1h};
    const examples::standing now{.all = 1000, .over = 10, .elapsed = 1h + 72s};
    EXPECT_EQ(examples::minutes(time_left(before, now)), "118:48");
    EXPECT_EQ(examples::minutes(time_left(now, now)), "-");
}

/// Returns the display of 200 jobs: each of the first 100 takes 200 ms, the others 50 ms.
std::string shown_in(std::size_t columns) {
    std::ostringstream out;
    r2::duration time = 1h;
    examples::progress_line line({out, columns, [&] { return time; }}, "done", 200);
    for (r2::progress p; p.done < 200; line.show(p, 0)) {
        time += p.done < 100 ? 200ms : 50ms;
        ++p.done;
        p.attempts += 2;
    }
    line.end({.done = 200, .attempts = 400}, 0);
    return out.str();
}

TEST(poll_jobs, writes_1_line_a_second_unless_on_a_terminal) {
    const std::string plain = shown_in(0);
    EXPECT_EQ(std::count(plain.begin(), plain.end(), '\n'), 25) << plain;
    EXPECT_EQ(plain.find_first_of("\r\033"), std::string::npos) << plain;
    EXPECT_TRUE(
        plain.starts_with("done 5, in flight 0, waiting 195, failed 0, 10/s, - left\n"
                          "done 10, in flight 0, waiting 190, failed 0, 10/s, 0:38 left\n"))
        << plain;
    EXPECT_NE(plain.find("\ndone 180, in flight 0, waiting 20, failed 0, 34/s, 0:02 left\n"), std::string::npos)
        << plain;
    EXPECT_TRUE(plain.ends_with("\ndone 200, in flight 0, waiting 0, failed 0, 40/s, 0:00 left\n")) << plain;
}

TEST(poll_jobs, rewrites_1_line_of_19_columns_10_times_a_second_on_a_terminal) {
    const std::string rewritten = shown_in(20);
    EXPECT_EQ(std::count(rewritten.begin(), rewritten.end(), '\n'), 1);
    EXPECT_EQ(std::count(rewritten.begin(), rewritten.end(), '\r'), 100 + 50);
    EXPECT_TRUE(rewritten.starts_with("\rdone 1, in flight 0\033[K\rdone 2, in flight 0\033[K")) << rewritten;
    EXPECT_TRUE(rewritten.ends_with("\rdone 200, in flight\033[K\n")) << rewritten;
}

TEST(poll_jobs, starts_3_jobs_whose_places_it_is_told) {
    fake_client fake;
    fake.reply({.status = 202, .headers = {{"Location", "/jobs/1"}}})
        .fail(errc::disconnected)
        .reply(403, "no")
        .reply({.status = 201, .headers = {{"Location", "http://other.test/2"}}});
    std::ostringstream out;
    const examples::results all = examples::start_jobs("http://host", 3, {.max_attempts = 2, .via = &fake}, {},
                                                       {out, 0, [&] { return fake.now(); }});
    EXPECT_EQ(all.urls, (std::vector<std::string>{"http://host/jobs/1", "http://other.test/2"}));
    EXPECT_EQ(all.failed, (std::vector<std::string>{"order 2: not_retryable, 403 no"}));
    const auto key = [&](std::size_t i) { return fake.requests().at(i).headers.get("Idempotency-Key").value(); };
    EXPECT_EQ(key(1), key(3)) << "sent again";
    EXPECT_NE(key(0), key(1));
}

TEST(poll_jobs, polls_4_jobs_until_each_is_over) {
    fake_client fake;
    std::map<std::string, int> polls;
    fake.reply_with([&](const r2::request& q) -> r2::outcome {
            const bool first = ++polls[q.url] == 1;
            if (q.url == "http://a/gone") return 404;
            if (q.url == "http://a/mute")
                return first ? r2::response{.status = 200, .body = "<h1>"} : r2::response{.status = 503};
            const std::string state = first ? "running" : q.url.substr(9);
            return r2::response{.status = 200, .body = R"({"state": ")" + state + R"("})"};
        })
        .forever();
    std::ostringstream out;
    const std::vector<std::string> urls{"http://a/done", "http://a/failed", "http://a/gone", "http://a/mute"};
    const auto all = examples::poll_jobs(urls, through(fake, {.interval = 1s, .deadline = 10s}), {},
                                         {out, 0, [&] { return fake.now(); }});
    EXPECT_EQ(all.urls, (std::vector<std::string>{"http://a/done"}));
    EXPECT_EQ(all.failed, (std::vector<std::string>{"http://a/gone: not_retryable, 404 ",
                                                    "http://a/failed: condition_met, 200 {\"state\": \"failed\"}",
                                                    "http://a/mute: deadline, 503 "}));
    EXPECT_TRUE(out.str().ends_with("\ndone 1, in flight 0, waiting 0, failed 3, 2/s, 0:00 left\n")) << out.str();
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
    r2::shutdown down({.grace = how.grace, .cleanup = 5s});
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
