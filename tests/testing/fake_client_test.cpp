#include <gtest/gtest.h>

#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <r2/testing.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::sent;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
using waits = std::vector<r2::duration>;

/// Returns the message of the std::logic_error that `f` throws; "" if it throws none.
template <class F> std::string complaint_of(F f) {
    try {
        f();
    } catch (const std::logic_error& e) {
        return e.what();
    }
    return "";
}

TEST(fake_client, plays_a_transcript_of_4_steps_and_tells_what_happened) {
    fake_client fake;
    fake.reply(503).reply({.status = 429, .headers = {{"Retry-After", "7"}}}).fail(errc::timeout).reply(200, "done");
    std::vector<std::string> seen;
    for (auto&& [res, err] : r2::post(url, "{}", {.headers = {{"X-Id", "7"}}, .via = &fake}))
        seen.push_back(res ? std::to_string(res->status) + res->body : std::string(to_string(err.kind())));
    EXPECT_EQ(seen, (std::vector<std::string>{"503", "429", "timeout", "200done"}));
    EXPECT_EQ(fake.waits(), (waits{1s, 7s, 4s})) << "half of 2 s, as asked, half of 8 s";
    EXPECT_EQ(fake.now(), 12s);
    EXPECT_EQ(fake.unused(), 0U);
    ASSERT_EQ(fake.requests().size(), 4U);
    for (const r2::request& q : fake.requests()) {
        EXPECT_EQ(q.method, "POST");
        EXPECT_EQ(q.url, url);
        EXPECT_EQ(q.body.text(), "{}");
        EXPECT_EQ(q.headers.get("x-id"), "7");
    }
}

TEST(fake_client, reply_after_300ms_takes_that_long_or_is_cut_by_a_shorter_timeout) {
    fake_client fake;
    fake.reply_after(300ms, 503).reply_after(300ms, {.status = 200, .body = "slow"});
    const auto last = fake.get(url, {.timeout = 300ms + 1ns, .interval = 1s}).finish();
    EXPECT_EQ(last.response()->body, "slow");
    EXPECT_EQ(last.elapsed(), 300ms);
    EXPECT_EQ(fake.now(), 1600ms);

    fake.reply_after(300ms, 200);
    const auto cut = fake.get(url, {.max_attempts = 1, .timeout = 299ms}).finish();
    EXPECT_TRUE(cut.error() == errc::timeout);
    EXPECT_EQ(cut.error().sent(), sent::maybe);
}

TEST(fake_client, hang_is_ended_by_timeout_deadline_or_stop_alone) {
    fake_client fake;
    fake.hang().hang(sent::no).hang();
    const auto sent_one = fake.get(url, {.max_attempts = 1, .timeout = 3s}).finish();
    EXPECT_TRUE(sent_one.error() == errc::timeout);
    EXPECT_EQ(sent_one.error().sent(), sent::maybe);
    EXPECT_EQ(sent_one.sends(), 1);
    const auto unsent_one = fake.get(url, {.deadline = 3s}).finish();
    EXPECT_EQ(unsent_one.error().sent(), sent::no);
    EXPECT_EQ(unsent_one.sends(), 0);
    EXPECT_EQ(fake.now(), 6s);
    EXPECT_EQ(complaint_of([&] { fake.get(url).finish(); }),
              "fake_client: nothing ends the hanging request 3, GET http://job.test/42");
}

TEST(fake_client, fail_is_as_sent_as_such_an_error_mostly_is) {
    fake_client fake;
    const auto sent_of = [&](errc kind) {
        fake.fail(kind);
        const auto a = fake.get(url, {.max_attempts = 1}).finish();
        EXPECT_TRUE(a.error() == kind);
        EXPECT_EQ(a.sends(), a.error().sent() == sent::maybe);
        return a.error().sent();
    };
    for (const errc kind : {errc::timeout, errc::disconnected, errc::protocol, errc::too_large, errc::stopped})
        EXPECT_EQ(sent_of(kind), sent::maybe) << to_string(kind);
    for (const errc kind : {errc::resolve, errc::connect, errc::tls, errc::local, errc::body_unreadable})
        EXPECT_EQ(sent_of(kind), sent::no) << to_string(kind);

    fake.fail({errc::timeout, "no connection in 10s"}).fail_after(2s, errc::connect);
    EXPECT_EQ(fake.get(url, {.max_attempts = 1}).finish().error().message(), "timeout: no connection in 10s");
    EXPECT_EQ(fake.get(url, {.max_attempts = 1}).finish().elapsed(), 2s);
}

TEST(fake_client, reply_with_answers_by_the_request_and_may_lengthen_the_script) {
    fake_client fake;
    fake.reply_with(
            [](const r2::request& q) { return r2::response{.status = 200, .body = std::string(q.body.text())}; })
        .reply_with([&](const r2::request&) {
            fake.reply(201);
            return 503;
        })
        .reply_with([](const r2::request&) { return errc::connect; });
    EXPECT_EQ(fake.put(url, "echo").finish().response()->body, "echo");
    auto range = fake.get(url);
    EXPECT_EQ(range.finish().response()->status, 201);
    EXPECT_EQ(range.summary().substr(0, 10), "3 attempts");
    EXPECT_EQ(fake.requests().size(), 4U);

    fake.reply_with([](const r2::request&) -> int { throw 7; });
    EXPECT_THROW(fake.get(url).finish(), int);
}

TEST(fake_client, a_callable_keeps_its_state_over_3_requests) {
    fake_client fake;
    fake.reply_with([n = 0](const r2::request&) mutable { return ++n < 3 ? 503 : 200; }).forever();
    EXPECT_EQ(fake.get(url).finish().number(), 3);
}

TEST(fake_client, forever_and_times_repeat_the_step_before) {
    fake_client fake;
    fake.reply(503).times(3).reply(202).times(0).reply(500).forever();
    EXPECT_EQ(fake.unused(), 4U);
    int sum = 0;
    for (auto&& [res, err] : fake.get(url, {.max_attempts = 100})) sum += res->status;
    EXPECT_EQ(sum, 3 * 503 + 97 * 500);
    EXPECT_EQ(fake.unused(), 0U);
    EXPECT_EQ(complaint_of([&] { fake.reply(200); }), "fake_client: a step after forever() is never taken");
    EXPECT_EQ(complaint_of([] { fake_client().forever(); }), "fake_client: no step before forever()");
    EXPECT_EQ(complaint_of([] { fake_client().times(2); }), "fake_client: no step before times()");
}

TEST(fake_client, running_past_the_script_names_the_request_and_no_secret_of_it) {
    fake_client fake;
    fake.reply(503);
    auto range = fake.post("http://me:hunter2@job.test/42?key=hunter2", "{}");
    EXPECT_EQ(complaint_of([&] { range.finish(); }),
              "fake_client: the script has no step for request 2, POST http://job.test/42?…");
    EXPECT_EQ(range.ended(), ended::threw);
    EXPECT_EQ(fake.requests().size(), 2U);
}

TEST(fake_client, unused_counts_the_steps_that_no_request_took) {
    fake_client fake;
    fake.reply(200).reply(200).times(2).fail(errc::connect);
    fake.get(url).finish();
    EXPECT_EQ(fake.unused(), 3U);
}

TEST(fake_client, a_body_over_max_body_is_too_large) {
    fake_client fake;
    fake.reply(200, "12345").reply(200, "123456");
    EXPECT_EQ(fake.get(url, {.max_body = 5}).finish().ended(), ended::succeeded);
    const auto last = fake.get(url, {.max_body = 5}).finish();
    EXPECT_EQ(last.error().message(), "response too large: over 5 bytes");
    EXPECT_EQ(last.error().sent(), sent::maybe);
    EXPECT_EQ(last.sends(), 1);
}

TEST(fake_client, a_url_that_no_client_would_send_to_takes_no_step_of_the_script) {
    fake_client fake;
    fake.reply(200);
    for (const char* bad : {"", "job.test/42", "ftp://job.test/42", "http://job test/42"}) {
        const auto last = fake.get(bad).finish();
        EXPECT_TRUE(last.error() == errc::invalid_request) << bad;
        EXPECT_EQ(last.sends(), 0) << bad;
    }
    EXPECT_TRUE(fake.requests().empty());
    EXPECT_EQ(fake.unused(), 1U);
}

TEST(fake_client, stop_at_2s_ends_a_wait_a_transfer_and_a_loop_body) {
    for (const bool in_wait : {true, false}) {
        fake_client fake;
        std::stop_source source;
        if (in_wait)
            fake.reply(503).forever();
        else
            fake.hang();
        fake.stop_at(2s, source);
        auto range = fake.get(url, {.interval = 30s, .stop = source.get_token()});
        EXPECT_EQ(range.finish().ended(), ended::stopped);
        EXPECT_EQ(fake.now(), 2s);
        EXPECT_EQ(fake.waits(), in_wait ? waits{2s} : waits{});
    }
    fake_client fake;
    std::stop_source source;
    fake.reply(503).forever();
    fake.stop_at(2s, source);
    int turns = 0;
    for ([[maybe_unused]] auto& a : fake.get(url, {.interval = 1s, .stop = source.get_token()})) {
        fake.advance(5s);
        ++turns;
    }
    EXPECT_EQ(turns, 1);
    EXPECT_EQ(fake.now(), 5s);
}

TEST(fake_client, what_is_due_happens_in_order_as_advance_moves_the_clock) {
    fake_client fake;
    std::vector<r2::duration> happened;
    for (const auto due : {3s, 1s, 2s, 9s}) fake.at(due, [&] { happened.push_back(fake.now()); });
    fake.advance(5s);
    EXPECT_EQ(happened, (waits{1s, 2s, 3s}));
    EXPECT_EQ(fake.now(), 5s);
}

TEST(fake_client, the_same_seed_makes_the_same_10_waits) {
    const auto waits_of = [](auto set) {
        fake_client fake;
        set(fake);
        fake.reply(503).forever();
        fake.get(url, {.max_attempts = 11}).finish();
        return fake.waits();
    };
    const auto seeded = [&](std::uint64_t n) { return waits_of([n](fake_client& f) { f.seed(n); }); };
    EXPECT_EQ(seeded(1), seeded(1));
    EXPECT_NE(seeded(1), seeded(2));
    EXPECT_EQ(seeded(1).size(), 10U);
    EXPECT_NE(seeded(1)[5], seeded(1)[6]) << "both are a part of 30 s";
    EXPECT_EQ(waits_of([](fake_client& f) { f.seed(1).chance(0.25); })[1], 1s);
}

TEST(fake_client, guards_and_dates_go_by_its_clocks) {
    fake_client fake;
    fake.reply({.status = 503, .headers = {{"Retry-After", "Thu, 01 Jan 2026 00:00:30 GMT"}}}).reply(200);
    const auto budget = r2::retry_budget::aws();
    fake.get(url, {.guards = {budget}}).finish();
    EXPECT_EQ(fake.waits(), waits{30s});
    EXPECT_EQ(fake_client::wall_beginning.time_since_epoch(), std::chrono::sys_days(2026y / 1 / 1).time_since_epoch());

    r2::time_point told;
    struct clock_watch : r2::guard {
        r2::time_point& told;
        explicit clock_watch(r2::time_point& t) : told(t) {}
        r2::admission admit(const r2::request&, int, r2::time_point now) override {
            told = now;
            return r2::admission::go;
        }
    };
    fake.reply(200);
    fake.get(url, {.guards = {std::make_shared<clock_watch>(told)}}).finish();
    EXPECT_EQ(told, fake_client::beginning + 30s);
}

TEST(fake_client, retry_waits_on_it_too_and_2_ranges_may_take_turns) {
    fake_client fake;
    int calls = 0;
    const auto count = [&] {
        if (++calls < 3) throw std::runtime_error("not yet");
        return calls;
    };
    EXPECT_EQ(*r2::retry(count, {.interval = 2s, .via = &fake}).finish().value(), 3);
    EXPECT_EQ(fake.now(), 4s);

    fake.reply(503).times(2).reply(200).times(2);
    auto one = fake.get("http://one.test/", {.interval = 3s}), two = fake.get("http://two.test/", {.interval = 2s});
    EXPECT_EQ(one.begin()->number(), 1);
    EXPECT_EQ(two.begin()->number(), 1);
    EXPECT_EQ(two.finish().ended(), ended::succeeded);
    EXPECT_EQ(one.finish().ended(), ended::succeeded);
    EXPECT_EQ(fake.now(), 7s) << "both waits ran at the same time";
    EXPECT_EQ(fake.requests()[3].url, "http://one.test/");
}

}  // namespace
