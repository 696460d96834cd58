#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <r2/execution/execution.hpp>
#include <r2/testing.hpp>
#include <r2/testing/virtual_transport.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
using lines = std::vector<std::string>;
using waits = std::vector<r2::duration>;

/// The fate of each copy: "won +50ms 2ms" went out 50 ms after the attempt began, and took 2 ms.
lines copies_of(const r2::attempt& a) {
    lines all;
    for (const r2::hedged_copy& c : a.copies())
        all.push_back(std::string(to_string(c.became)) + " +" + r2::to_string(c.started) + ' ' +
                      r2::to_string(c.elapsed));
    return all;
}

/// One attempt.
r2::attempt hedged(const fake_client& fake, r2::hedge_policy h, r2::options o = {}) {
    o.max_attempts = 1;
    o.hedge = h;
    return fake.get(url, std::move(o)).finish();
}

// gRPC's proposal A6.

TEST(hedging, sends_no_copy_of_what_answers_in_time) {
    fake_client fake;
    fake.reply_after(49ms, 200);
    const r2::attempt a = hedged(fake, {.copies = 3, .after = 50ms});
    EXPECT_EQ(copies_of(a), lines{"won +0s 49ms"});
    EXPECT_EQ(a.sends(), 1);
    fake.reply_after(1s, 200);
    EXPECT_TRUE(hedged(fake, {.copies = 0, .after = 50ms}).copies().empty());
}

TEST(hedging, takes_the_first_answer_of_3_copies_sent_50_ms_apart) {
    fake_client fake;
    fake.reply_after(1s, 200, "original").reply_after(70ms, 200, "second").reply_after(5ms, 200, "third");
    r2::attempt a = hedged(fake, {.copies = 4, .after = 50ms});
    EXPECT_EQ(a.response()->body, "third");
    EXPECT_EQ(a.elapsed(), 105ms);
    EXPECT_EQ(a.sends(), 3);
    EXPECT_EQ(a.ended(), ended::succeeded);
    EXPECT_EQ(copies_of(a), (lines{"lost +0s 105ms", "lost +50ms 55ms", "won +100ms 5ms"}));
    EXPECT_EQ(a.copies()[0].error, errc::stopped);
    EXPECT_EQ(a.copies()[2].status, 200);
    EXPECT_EQ(fake.now(), 105ms);
}

TEST(hedging, sends_all_at_once_without_a_delay_and_5_copies_at_most) {
    fake_client fake;
    fake.reply_after(1s, 200).forever();
    for (const r2::duration after : {r2::duration(0), r2::duration(-1s)}) {
        const r2::attempt a = hedged(fake, {.copies = 9, .after = after});
        ASSERT_EQ(a.copies().size(), 6U);
        EXPECT_EQ(copies_of(a).back(), "lost +0s 1s");
        EXPECT_EQ(a.sends(), 6);
    }
}

TEST(hedging, a_failure_that_may_pass_sends_the_next_copy_at_once) {
    fake_client fake;
    fake.reply_after(10ms, 503).fail_after(10ms, errc::disconnected).reply_after(10ms, 200);
    const r2::attempt a = hedged(fake, {.copies = 2, .after = 50ms});
    EXPECT_EQ(copies_of(a), (lines{"failed +0s 10ms", "failed +10ms 10ms", "won +20ms 10ms"}));
    EXPECT_EQ(a.copies()[0].status, 503);
    EXPECT_EQ(a.copies()[1].error, errc::disconnected);
}

TEST(hedging, after_a_failure_the_delay_runs_anew) {
    fake_client fake;
    fake.reply_after(10ms, 503).reply_after(1s, 200).reply_after(1ms, 200);
    EXPECT_EQ(copies_of(hedged(fake, {.copies = 2, .after = 50ms})),
              (lines{"failed +0s 10ms", "lost +10ms 51ms", "won +60ms 1ms"}));
}

TEST(hedging, a_final_answer_ends_all) {
    fake_client fake;
    fake.reply_after(1s, 200).reply_after(10ms, 404);
    const r2::attempt a = hedged(fake, {.copies = 2, .after = 50ms});
    EXPECT_EQ(a.response()->status, 404);
    EXPECT_EQ(a.ended(), ended::not_retryable);
    EXPECT_EQ(copies_of(a), (lines{"lost +0s 60ms", "won +50ms 10ms"}));
}

TEST(hedging, a_retry_after_holds_further_copies) {
    const r2::response busy{.status = 503, .headers = {{"Retry-After", "2"}}};
    fake_client patient;
    patient.reply_after(1s, 200).reply_after(10ms, busy);
    EXPECT_EQ(copies_of(hedged(patient, {.copies = 3, .after = 50ms})), (lines{"won +0s 1s", "failed +50ms 10ms"}));

    fake_client slow;
    slow.reply_after(3s, 200).reply_after(10ms, busy).reply_after(30ms, 503).reply_after(1ms, 503);
    EXPECT_EQ(copies_of(hedged(slow, {.copies = 3, .after = 50ms})),
              (lines{"won +0s 3s", "failed +50ms 10ms", "failed +2.06s 30ms", "failed +2.09s 1ms"}));

    fake_client ignoring;
    ignoring.reply_after(1s, 200).reply_after(10ms, busy).reply_after(1ms, 200);
    EXPECT_EQ(copies_of(hedged(ignoring, {.copies = 3, .after = 50ms}, {.retry_after = {.honour = false}})),
              (lines{"lost +0s 61ms", "failed +50ms 10ms", "won +60ms 1ms"}));
}

TEST(hedging, a_retry_after_with_nothing_else_in_flight_is_the_attempts) {
    fake_client fake;
    fake.reply({.status = 503, .headers = {{"Retry-After", "2"}}}).reply(200);
    std::vector<lines> seen;
    for (auto& a : fake.get(url, {.hedge = {.copies = 3, .after = 50ms}})) seen.push_back(copies_of(a));
    EXPECT_EQ(seen, (std::vector<lines>{{"failed +0s 0s"}, {"won +0s 0s"}}));
    EXPECT_EQ(fake.waits(), waits{2s});
}

TEST(hedging, where_all_fail_the_last_failure_is_the_attempts) {
    fake_client fake;
    fake.reply_after(100ms, 500).reply_after(5ms, 502).fail_after(10ms, errc::disconnected);
    const r2::attempt a = hedged(fake, {.copies = 2, .after = 50ms});
    EXPECT_EQ(a.response()->status, 500);
    EXPECT_EQ(a.elapsed(), 100ms);
    EXPECT_EQ(copies_of(a), (lines{"failed +0s 100ms", "failed +50ms 5ms", "failed +55ms 10ms"}));
}

TEST(hedging, where_all_fail_the_longest_retry_after_of_3_is_kept_to) {
    const auto busy = [](const char* seconds) {
        return r2::response{.status = 503, .headers = {{"Retry-After", seconds}}};
    };
    fake_client fake;
    fake.reply_after(10ms, busy("3")).reply_after(20ms, busy("7")).reply_after(30ms, 500).reply(200).times(3);
    auto range = fake.get(url, {.hedge = {.copies = 2}});
    EXPECT_EQ(range.begin()->response()->headers.get("Retry-After"), "7");
    EXPECT_EQ(range.finish().number(), 2);
    EXPECT_EQ(fake.waits(), waits{7s});
}

TEST(hedging, only_idempotent_methods_have_copies_unless_it_is_unsafe) {
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
        fake_client fake;
        fake.reply_after(1s, 200).forever();
        EXPECT_EQ(fake.send({method, url}, {.hedge = {.copies = 1}}).finish().sends(), 2) << method;
    }
    for (const char* method : {"POST", "PATCH", "PURGE"})
        for (const bool unsafe : {false, true}) {
            fake_client fake;
            fake.reply_after(1s, 200).forever();
            const r2::options o{.idempotency_key = "k", .hedge = {.copies = 1, .unsafe = unsafe}};
            const r2::attempt a = fake.send({method, url}, o).finish();
            EXPECT_EQ(a.sends(), unsafe ? 2 : 1) << method;
            EXPECT_EQ(a.copies().size(), unsafe ? 2U : 0U) << method;
        }
}

// What pester, a Go library that hedges, tests of its own.

TEST(pester, lanes_3_and_attempts_3_that_all_fail_send_9_requests) {
    fake_client fake;
    fake.fail_after(1ms, errc::disconnected).forever();
    auto range = fake.get(url, {.max_attempts = 3, .hedge = {.copies = 2}});
    std::vector<int> sends;
    for (auto& a : range) sends.push_back(a.sends());
    EXPECT_EQ(sends, (std::vector{3, 3, 3}));
    EXPECT_EQ(fake.requests().size(), 9U);
    EXPECT_EQ(range.ended(), ended::exhausted);
}

TEST(pester, the_first_success_of_3_lanes_wins_and_the_rest_are_cancelled) {
    fake_client fake;
    fake.hang().reply_after(20ms, 200, "first").reply_after(30ms, 200, "second");
    auto range = fake.get(url, {.max_attempts = 3, .hedge = {.copies = 2}});
    EXPECT_EQ(range.finish().response()->body, "first");
    EXPECT_EQ(fake.requests().size(), 3U);
    EXPECT_EQ(fake.now(), 20ms);
}

// Limits and stops.

TEST(hedging, the_timeout_is_the_attempts_and_cuts_all_3_copies) {
    fake_client fake;
    fake.hang().times(3);
    const r2::attempt a = hedged(fake, {.copies = 2, .after = 300ms}, {.timeout = 1s});
    EXPECT_EQ(a.error(), errc::timeout);
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.elapsed(), 1s);
    EXPECT_EQ(copies_of(a), (lines{"lost +0s 1s", "lost +300ms 700ms", "lost +600ms 400ms"}));
    EXPECT_EQ(a.copies()[2].error, errc::timeout);
}

TEST(hedging, the_timeout_after_a_failed_copy_is_the_last_failure_but_a_retry_after_stands) {
    fake_client fake;
    fake.hang().reply_after(1ms, 503);
    EXPECT_EQ(hedged(fake, {.copies = 1}, {.timeout = 1s}).error(), errc::timeout);

    fake_client busy;
    busy.hang().reply_after(1ms, {.status = 503, .headers = {{"Retry-After", "9"}}}).reply(200).times(2);
    EXPECT_EQ(busy.get(url, {.timeout = 1s, .hedge = {.copies = 1}}).finish().number(), 2);
    EXPECT_EQ(busy.waits(), waits{9s});
}

TEST(hedging, a_body_of_2_bytes_is_over_a_limit_of_1) {
    fake_client fake;
    fake.reply(200, "xx");
    EXPECT_EQ(fake.get(url, {.max_attempts = 1, .max_body = 1}).finish().error(), errc::too_large);
}

TEST(hedging, a_stop_cuts_all_copies_and_in_its_grace_no_more_go_out) {
    for (const r2::duration grace : {0ms, 500ms}) {
        fake_client fake;
        std::stop_source source;
        fake.reply_after(300ms, 200).times(3).stop_at(70ms, source);
        const r2::attempt a =
            hedged(fake, {.copies = 4, .after = 50ms}, {.stop = source.get_token(), .stop_grace = grace});
        EXPECT_EQ(a.sends(), 2);
        EXPECT_EQ(a.ended(), grace > 0ms ? ended::succeeded : ended::stopped);
        EXPECT_EQ(fake.now(), grace > 0ms ? 300ms : 70ms);
    }
}

TEST(hedging, a_stop_after_a_failed_copy_is_a_stop) {
    fake_client fake;
    std::stop_source source;
    fake.hang().reply_after(1ms, {.status = 503, .headers = {{"Retry-After", "9"}}}).stop_at(70ms, source);
    const r2::attempt a = fake.get(url, {.stop = source.get_token(), .hedge = {.copies = 1}}).finish();
    EXPECT_EQ(a.error(), errc::stopped);
    EXPECT_EQ(a.ended(), ended::stopped);
}

TEST(hedging, an_error_of_a_copy_that_was_not_sent_is_that_of_a_request_that_may_have_been) {
    fake_client fake;
    fake.reply_after(1ms, 503).fail_after(10ms, errc::connect);
    const r2::attempt a = hedged(fake, {.copies = 1});
    EXPECT_EQ(a.error(), errc::connect);
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.copies()[1].error.sent(), r2::sent::no);
}

TEST(hedging, a_copy_that_this_machine_cant_send_leaves_the_others_alone) {
    fake_client fake;
    fake.reply_after(100ms, 200, "original").fail(errc::local);
    const r2::attempt a = hedged(fake, {.copies = 3, .after = 50ms});
    EXPECT_EQ(a.response()->body, "original");
    EXPECT_EQ(copies_of(a), (lines{"won +0s 100ms", "failed +50ms 0s"}));

    fake.reply_after(100ms, 503).fail(errc::local).reply(200).times(1);
    EXPECT_EQ(fake.get(url, {.hedge = {.copies = 3, .after = 50ms}}).finish().number(), 2) << "503 is worth a retry";

    fake.fail(errc::local);
    EXPECT_EQ(hedged(fake, {.copies = 3, .after = 50ms}).error(), errc::local);
    fake.fail(errc::local).reply_after(100ms, 200);
    EXPECT_EQ(hedged(fake, {.copies = 1}, {.terminate_if = r2::failed_with(errc::local)}).ended(),
              ended::condition_met);
}

/// Notes how the transfers that nobody takes end.
struct noting_transport final : r2::detail::transport {
    r2::time_point now() noexcept override { return inner.now(); }
    r2::wall_time wall_now() noexcept override { return inner.wall_now(); }
    double chance() noexcept override { return inner.chance(); }
    void start(r2::detail::ticket& t, const r2::request& q, const r2::detail::transfer_limits& l) override {
        inner.start(t, q, l);
    }
    std::optional<r2::detail::completion> wait_until(r2::time_point until) override { return inner.wait_until(until); }
    r2::attempt take(r2::detail::ticket& t) override { return inner.take(t); }
    int cancel(r2::detail::ticket& t) noexcept override {
        ++cancelled;
        return inner.cancel(t);
    }
    int drain(r2::detail::ticket& t, std::shared_ptr<const r2::request>, r2::time_point until) noexcept override {
        drained_for = until - now();
        return inner.cancel(t);
    }
    void wake() noexcept override { inner.wake(); }

    std::shared_ptr<r2::testing::detail::world> world = std::make_shared<r2::testing::detail::world>();
    r2::testing::detail::virtual_transport inner{world};
    int cancelled = 0;
    r2::duration drained_for = {};
};

TEST(hedging, a_copy_that_lost_is_drained_for_the_policys_100_ms_or_cancelled_at_once_for_0) {
    for (const r2::duration drain : {-1ms, 0ms, 100ms}) {
        noting_transport t;
        for (const r2::duration after : {1s, 2s})
            t.world->script.push_back({std::make_shared<const std::function<r2::outcome(const r2::request&)>>(
                                           [](const r2::request&) { return 200; }),
                                       after});
        const r2::options o{.hedge = {.copies = 1, .drain = drain}};
        const r2::request q{.url = url};
        r2::detail::latency_log latencies;
        r2::detail::execution e({t, latencies, q, o}, t.now());
        ASSERT_FALSE(e.start());
        ASSERT_TRUE(e.on_completion(*t.wait_until(r2::time_point::max())));
        EXPECT_EQ(t.cancelled, drain > 0ms ? 0 : 1);
        EXPECT_EQ(t.drained_for, std::max<r2::duration>(drain, 0s));
    }
}

TEST(hedging, copies_that_were_cut_say_whether_they_were_sent) {
    fake_client fake;
    fake.hang(r2::sent::no).hang().reply_after(1ms, 200);
    const r2::attempt a = hedged(fake, {.copies = 2});
    EXPECT_EQ(a.sends(), 2);
    EXPECT_EQ(a.copies()[0].error.sent(), r2::sent::no);
    EXPECT_EQ(a.copies()[1].error.sent(), r2::sent::maybe);
}

// The user's callables and guards.

TEST(hedging, predicates_and_after_attempt_see_the_outcome_of_each_copy_once) {
    fake_client fake;
    fake.reply_after(30ms, 503, "a").reply_after(20ms, 200, "wrong").reply_after(60ms, 200, "c");
    lines seen;
    const auto note = [&seen](const char* who, const r2::attempt& a) {
        seen.push_back(who + std::string(" ") + a.response()->body);
        return false;
    };
    r2::options o{.max_attempts = 1, .hedge = {.copies = 2}};
    o.terminate_if = [&](const r2::attempt& a) { return note("terminate", a) || a.response()->body == "c"; };
    o.retry_if = [&](const r2::attempt& a) { return note("retry", a) || true; };
    o.after_attempt = [&](const r2::request&, r2::attempt& a) {
        note("after", a);
        if (a.response()->body == "wrong") a.response()->status = 500;
    };
    int observed = 0;
    o.on_attempt = [&](const r2::request&, const r2::attempt& a) { observed += static_cast<int>(a.copies().size()); };
    const r2::attempt a = fake.get(url, o).finish();
    EXPECT_EQ(a.ended(), ended::condition_met);
    EXPECT_EQ(seen, (lines{"after wrong", "terminate wrong", "retry wrong", "after a", "terminate a", "retry a",
                           "after c", "terminate c"}));
    EXPECT_EQ(a.copies()[1].status, 500);
    EXPECT_EQ(observed, 3);
}

TEST(hedging, polls_with_copies_that_each_may_answer_not_yet) {
    fake_client fake;
    fake.reply_after(1s, 200, "running").reply_after(10ms, 200, "running").reply_after(10ms, 200, "done");
    auto range = fake.get(
        url, {.interval = 3s, .terminate_if = r2::body_contains("done"), .hedge = {.copies = 1, .after = 50ms}});
    EXPECT_EQ(range.finish().number(), 2);
    EXPECT_EQ(fake.requests().size(), 3U);
    EXPECT_EQ(fake.waits(), waits{3s});
}

TEST(hedging, before_attempt_is_called_once_and_all_copies_are_what_it_made) {
    fake_client fake;
    fake.reply_after(1s, 200).times(3);
    int calls = 0;
    r2::options o{.hedge = {.copies = 2}};
    o.before_attempt = [&](r2::request& q) { q.headers.set("X-Call", std::to_string(++calls)); };
    fake.get(url, o).finish();
    ASSERT_EQ(fake.requests().size(), 3U);
    for (const r2::request& q : fake.requests()) EXPECT_EQ(q.headers.get("X-Call"), "1");

    o.before_attempt = [](r2::request&) { return r2::response{.status = 204}; };
    EXPECT_TRUE(fake.get(url, o).finish().copies().empty());
}

TEST(hedging, what_a_callable_throws_cancels_all_copies_and_reaches_the_loop) {
    fake_client fake;
    fake.reply_after(1s, 200).reply_after(1ms, 200);
    r2::options o{.hedge = {.copies = 1}};
    o.terminate_if = [](const r2::response&) -> bool { throw std::runtime_error("mine"); };
    auto range = fake.get(url, o);
    EXPECT_THROW(range.finish(), std::runtime_error);
    EXPECT_EQ(range.ended(), ended::threw);
}

/// Writes down what it hears; answers the asking of each number as the test says.
class noting_guard : public r2::guard {
public:
    explicit noting_guard(std::function<r2::admission(int)> answer = [](int) { return r2::admission::go(); })
        : answer_(std::move(answer)) {}

    r2::admission admit(const r2::request& q, int number, r2::time_point) override {
        r2::admission a = answer_(number);
        notes.push_back("admit " + std::to_string(number));
        if (!a.refused()) admitted_.push_back(&q);
        return a;
    }
    void record_of(const r2::request& q, const r2::attempt& a, r2::time_point) override {
        notes.push_back("record " + std::to_string(a.number()) + ' ' +
                        (a.response() ? std::to_string(a.response()->status) : a.error().message()));
        settle(q);
    }
    void cancel(const r2::request& q, r2::time_point) override {
        notes.push_back("cancel");
        settle(q);
    }

    std::size_t open() const { return admitted_.size(); }
    lines notes;

private:
    void settle(const r2::request& q) { ASSERT_EQ(std::erase(admitted_, &q), 1U) << "not admitted, or told twice"; }

    std::function<r2::admission(int)> answer_;
    std::vector<const r2::request*> admitted_;
};

TEST(hedging, guards_are_asked_for_each_copy_and_hear_what_became_of_it) {
    fake_client fake;
    fake.reply_after(1s, 200).reply_after(5ms, 503).reply_after(10ms, 200);
    const auto g = std::make_shared<noting_guard>();
    hedged(fake, {.copies = 2, .after = 50ms}, {.guards = {nullptr, g}});
    EXPECT_EQ(g->notes, (lines{"admit 1", "admit 2", "record 1 503", "admit 2", "record 1 200",
                               "record 1 stopped: the response to another copy came first"}));
    EXPECT_EQ(g->open(), 0U);
}

/// Throws the `at`-th time that it is asked, or told of an outcome.
struct throwing_guard final : r2::guard {
    throwing_guard(int asked, int told) : throws_when_asked(asked), throws_when_told(told) {}
    r2::admission admit(const r2::request&, int, r2::time_point) override {
        if (++asked == throws_when_asked) throw std::runtime_error("asked");
        return r2::admission::go();
    }
    void record_of(const r2::request&, const r2::attempt&, r2::time_point) override {
        if (++told == throws_when_told) throw std::runtime_error("told");
    }
    int throws_when_asked, throws_when_told, asked = 0, told = 0;
};

TEST(hedging, keeps_the_outcome_that_is_there_when_a_guard_throws_in_3_places) {
    struct {
        int asked, told;
        int expected;  // 0: the limit's error
    } rows[] = {{0, 2, 200}, {3, 0, 503}, {0, 1, 0}};
    for (const auto& row : rows) {
        fake_client fake;
        if (row.expected == 200) fake.reply_after(1s, 503).reply_after(5ms, 200);
        if (row.expected == 503) fake.reply_after(60ms, 503).reply_after(1s, 200);
        if (row.expected == 0) fake.hang().hang();
        r2::attempts range = fake.get(url, {.max_attempts = 2,
                                            .timeout = 5s,
                                            .guards = {std::make_shared<throwing_guard>(row.asked, row.told)},
                                            .hedge = {.copies = 2, .after = row.expected == 0 ? 10s : 50ms}});
        EXPECT_THROW(static_cast<void>(range.begin() == range.end()), std::runtime_error) << row.expected;
        const r2::attempt a = range.finish();
        EXPECT_EQ(a.response() ? a.response()->status : 0, row.expected) << a.error().message();
        EXPECT_GT(a.sends(), 0);
        EXPECT_EQ(a.ended(), ended::threw);
    }
}

TEST(hedging, a_guard_that_refuses_a_copy_refuses_no_more_than_that) {
    fake_client fake;
    fake.reply_after(1s, 200);
    const auto g = std::make_shared<noting_guard>(
        [](int n) { return n == 1 ? r2::admission::go() : r2::admission::refuse("no copies"); });
    const r2::attempt a = hedged(fake, {.copies = 2, .after = 50ms}, {.guards = {g}});
    EXPECT_EQ(a.ended(), ended::succeeded);
    EXPECT_TRUE(a.refusal().empty());
    EXPECT_EQ(g->notes, (lines{"admit 1", "admit 2", "record 1 200"}));

    fake.reply(503);
    EXPECT_EQ(hedged(fake, {.copies = 2, .after = 50ms}, {.guards = {g}}).response()->status, 503);
    EXPECT_EQ(g->open(), 0U);
}

TEST(hedging, a_guard_may_ask_a_copy_to_wait_200_ms) {
    const auto slow_for_copies = [] {
        return std::make_shared<noting_guard>(
            [](int n) { return n == 1 ? r2::admission::go() : r2::admission::wait(200ms); });
    };
    fake_client fake;
    fake.reply_after(1s, 200).reply_after(10ms, 200);
    auto g = slow_for_copies();
    EXPECT_EQ(copies_of(hedged(fake, {.copies = 1, .after = 50ms}, {.guards = {g}})),
              (lines{"lost +0s 260ms", "won +250ms 10ms"}));
    EXPECT_EQ(g->open(), 0U);

    g = slow_for_copies();  // the answer comes before that copy is sent
    fake.reply_after(100ms, 200);
    EXPECT_EQ(copies_of(hedged(fake, {.copies = 1, .after = 50ms}, {.guards = {g}})), lines{"won +0s 100ms"});
    EXPECT_EQ(g->notes, (lines{"admit 1", "admit 2", "record 1 200", "cancel"}));
    EXPECT_EQ(g->open(), 0U);
}

TEST(hedging, copies_are_paid_for_by_the_shared_retry_budget) {
    fake_client fake;
    fake.reply_after(1s, 200).forever();
    const auto budget = std::make_shared<r2::retry_budget>(
        r2::retry_budget_options{.initial = 30, .retry_cost = 10, .success_credit = 0});
    int sends = 0;
    for (int i = 0; i < 5; ++i) sends += hedged(fake, {.copies = 2, .after = 50ms}, {.guards = {budget}}).sends();
    EXPECT_EQ(sends, 5 + 3);
    EXPECT_EQ(budget->tokens(url, fake.beginning + fake.now()), 0);
}

TEST(hedging, a_breaker_is_not_opened_by_copies_that_lost) {
    fake_client fake;
    const auto breaker = std::make_shared<r2::circuit_breaker>(
        r2::circuit_breaker_options{.failure_rate = 0.1, .window = 10, .minimum_throughput = 2});
    for (int i = 0; i < 20; ++i) {
        fake.reply_after(1s, 200).reply_after(1ms, 200);
        EXPECT_EQ(hedged(fake, {.copies = 1, .after = 50ms}, {.guards = {breaker}}).ended(), ended::succeeded);
    }
}

// Percentiles.

TEST(hedging, by_a_percentile_waits_the_fallback_until_20_answers_are_known) {
    fake_client fake;
    const r2::options o{.hedge = {.copies = 1, .after = r2::percentile(0.9, 500ms)}};
    for (int i = 1; i <= 20; ++i) {
        fake.reply_after(i * 10ms, 200);
        EXPECT_EQ(fake.get(url, o).finish().copies().size(), 1U);
    }
    fake.reply_after(1s, 200).reply_after(1ms, 200);
    EXPECT_EQ(copies_of(fake.get(url, o).finish()), (lines{"lost +0s 181ms", "won +180ms 1ms"}));
    fake.reply_after(1s, 200).reply_after(1ms, 200);  // of another origin nothing is known
    EXPECT_EQ(copies_of(fake.get("http://other.test/", o).finish()), (lines{"lost +0s 501ms", "won +500ms 1ms"}));
}

/// The wait before a copy of the next request, after `play` made 20 attempts.
template <class Play> r2::duration wait_after_20(Play play) {
    fake_client fake;
    for (int i = 0; i < 20; ++i) play(fake);
    fake.reply_after(1h, 200).reply(200);
    const r2::hedge_policy by_median{.copies = 1, .after = r2::percentile(0.5, 500ms)};
    return hedged(fake, by_median).copies().back().started;
}

TEST(hedging, by_a_percentile_counts_an_original_that_lost_or_timed_out_with_its_time_until_then) {
    const r2::hedge_policy by_median{.copies = 1, .after = r2::percentile(0.5, 300ms)};
    EXPECT_EQ(wait_after_20([&](fake_client& fake) {
                  fake.reply_after(1s, 200).reply_after(10ms, 200);
                  hedged(fake, by_median);
              }),
              310ms);
    EXPECT_EQ(wait_after_20([&](fake_client& fake) {
                  fake.hang().hang();
                  hedged(fake, by_median, {.timeout = 700ms});
              }),
              700ms);
}

TEST(hedging, by_a_percentile_counts_no_attempt_that_failed_or_was_not_hedged_by_a_percentile) {
    const r2::hedge_policy by_median{.copies = 1, .after = r2::percentile(0.5, 300ms)};
    EXPECT_EQ(wait_after_20([&](fake_client& fake) {
                  fake.fail_after(10ms, errc::disconnected).reply(200);
                  hedged(fake, by_median);
              }),
              500ms);
    EXPECT_EQ(wait_after_20([&](fake_client& fake) {
                  fake.reply_after(10ms, 200);
                  hedged(fake, {.copies = 1, .after = 300ms});
              }),
              500ms);
    EXPECT_EQ(wait_after_20([&](fake_client& fake) {
                  fake.reply_after(10ms, 200);
                  fake.post(url, "x", {.hedge = by_median}).finish();
              }),
              500ms);
}

TEST(hedging, a_percentile_stays_where_it_is_while_its_copies_win) {
    fake_client fake;
    fake.seed(7);
    const r2::options o{.hedge = {.copies = 1, .after = r2::percentile(0.95, 50ms)}};
    int copies = 0;
    for (int i = 0; i < 2000; ++i) {
        fake.reply_after(i % 20 == 0 ? 300ms : (1 + i % 7) * 1ms, 200).reply_after(2ms, 200);
        copies += fake.get(url, o).finish().sends() - 1;
        while (fake.unused() > 0) fake.times(0);
    }
    EXPECT_GE(copies, 100);
    EXPECT_LE(copies, 300);
}

// Many requests.

TEST(hedging, of_many_requests_yields_each_attempt_once) {
    fake_client fake;
    fake.reply_with([](const r2::request& q) -> r2::outcome { return q.url.ends_with("/1") ? 404 : 200; });
    fake.forever();
    const lines targets{"http://a.test/0", "http://a.test/1", "http://b.test/2"};
    auto range = fake.all(targets, {.hedge = {.copies = 2}});
    std::size_t last = 0;
    for (auto& a : range) {
        last += a.is_last();
        EXPECT_EQ(a.response()->status, a.job() == 1 ? 404 : 200);
        EXPECT_EQ(a.copies().size(), 3U);
    }
    EXPECT_EQ(last, 3U);
    EXPECT_EQ(range.progress().attempts, 3U);
    EXPECT_EQ(range.progress().in_flight, 0U);
}

TEST(hedging, of_many_requests_sends_copies_in_time_while_others_answer) {
    fake_client fake;
    fake.reply_after(1s, 200).reply_after(20ms, 200).reply_after(100ms, 200).reply_after(5ms, 200).reply_after(1s, 200);
    const lines targets{"http://a.test/0", "http://a.test/1", "http://b.test/2"};
    std::vector<std::pair<std::size_t, lines>> seen;
    auto range = fake.all(targets, {.hedge = {.copies = 1, .after = 50ms}});
    for (auto& a : range) seen.emplace_back(a.job(), copies_of(a));
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0], (std::pair<std::size_t, lines>{1, {"won +0s 20ms"}}));
    EXPECT_EQ(seen[1], (std::pair<std::size_t, lines>{0, {"lost +0s 55ms", "won +50ms 5ms"}}));
    EXPECT_EQ(seen[2], (std::pair<std::size_t, lines>{2, {"won +0s 100ms", "lost +50ms 50ms"}}));
}

}  // namespace
