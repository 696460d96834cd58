#include <gtest/gtest.h>

#include <optional>

#include <r2/machine/machine.hpp>

#include "oracle/rules.hpp"

namespace {

using namespace std::chrono_literals;
using r2::decision;
using r2::ended;
using r2::wait_source;
using r2::detail::attempt_facts;
using r2::detail::classification;
using r2::detail::loop_limits;
using r2::detail::machine;

constexpr r2::time_point now{24h};

/// The waits that others ask for, as constants.
struct given {
    std::optional<r2::duration> asked = {};
    std::optional<r2::duration> guarded = 0s;  // nothing: refused
    r2::duration delay = 2s;

    constexpr std::optional<r2::duration> retry_after() const { return asked; }
    constexpr std::optional<r2::duration> guards() const { return guarded; }
    constexpr r2::duration backoff(int, r2::duration, double) const { return delay; }
};

constexpr decision decide(const loop_limits& l, const attempt_facts& f, classification c, const given& g) {
    machine m(l);
    return m.decide(f, c, now, 0.5, g);
}

/// The same case as the oracle is asked for it.
struct as_written {
    const loop_limits& l;
    const attempt_facts& f;
    classification c;
    const given& g;

    constexpr bool cut_by_stop() const { return c == classification::stopped; }
    constexpr std::optional<bool> terminate_if() const {
        if (c == classification::met) return true;
        return c == classification::unmet ? std::optional(false) : std::nullopt;
    }
    constexpr bool failed() const { return c == classification::permanent || c == classification::retryable; }
    constexpr bool retry_if() const { return c == classification::retryable; }
    constexpr bool failed_after_it_was_sent() const { return f.sent == r2::sent::maybe; }
    constexpr bool replays_only_when_safe() const { return l.replay == r2::replay::when_safe; }
    constexpr bool idempotent() const { return f.idempotent; }
    constexpr bool is_number_max_attempts() const { return l.max_attempts > 0 && f.number == l.max_attempts; }
    constexpr bool stop_requested() const { return f.stop_requested; }
    constexpr r2::retry_after_policy retry_after_policy() const { return l.retry_after; }
    constexpr std::optional<r2::duration> retry_after() const { return g.asked; }
    constexpr r2::duration interval() const { return l.interval; }
    constexpr r2::duration backoff() const { return g.delay; }
    constexpr bool deadline_is_within(r2::duration wait) const {
        return l.deadline != r2::detail::never && l.deadline - now <= wait;
    }
    constexpr std::optional<r2::duration> guards() const { return g.guarded; }
};

constexpr bool agree(const loop_limits& l, const attempt_facts& f, classification c, const given& g) {
    as_written written{l, f, c, g};
    return decide(l, f, c, g) == r2::oracle::rules_as_written(written);
}

// The table: each dimension of the rules times all the others.

constexpr classification classifications[] = {classification::stopped,   classification::met,
                                              classification::succeeded, classification::unmet,
                                              classification::permanent, classification::retryable};
constexpr r2::sent sents[] = {r2::sent::no, r2::sent::maybe};
constexpr bool bools[] = {false, true};
constexpr r2::replay replays[] = {r2::replay::always, r2::replay::when_safe};
constexpr int positions[] = {1, 2, 3};  // of at most 2; a third where there is no limit
constexpr std::optional<r2::duration> asked_waits[] = {std::nullopt, 1s, 6h, 6h + 1ns, r2::duration::max()};
constexpr std::optional<r2::duration> guard_waits[] = {std::nullopt, 0s, 2s, 2s + 1ns, r2::duration::max()};
constexpr r2::over_max overs[] = {r2::over_max::stop, r2::over_max::clamp, r2::over_max::wait};
constexpr r2::duration deadlines[] = {0s, 1s, 2s, 2s + 1ns, 12h};  // from now; 0: none

/// The number of cases with this classification in which the machine disagrees with the rules as written.
constexpr int disagreements(classification c, std::optional<r2::duration> guarded) {
    int count = 0;
    for (const auto sent : sents)
        for (const auto replay : replays)
            for (const bool idempotent : bools)
                for (const int number : positions)
                    for (const auto asked : asked_waits)
                        for (const auto deadline : deadlines) {
                            const loop_limits l{.max_attempts = number == 3 ? 0 : 2,
                                                .replay = replay,
                                                .deadline = deadline > 0s ? now + deadline : r2::detail::never};
                            const attempt_facts f{.number = number, .sent = sent, .idempotent = idempotent};
                            count += !agree(l, f, c, {asked, guarded});
                        }
    return count;
}

static_assert(disagreements(classification::unmet, 0s) == 0);
static_assert(disagreements(classification::retryable, 2s + 1ns) == 0);

TEST(machine, agrees_with_the_rules_as_written_in_every_case_of_the_table) {
    for (const auto c : classifications)
        for (const auto guarded : guard_waits) EXPECT_EQ(disagreements(c, guarded), 0) << static_cast<int>(c);
}

TEST(machine, agrees_where_a_stop_an_interval_and_the_retry_after_policy_come_in) {
    int cases = 0;
    for (const auto c : classifications)
        for (const bool stop : bools)
            for (const auto interval : {0s, -1s, 5s})
                for (const bool honour : bools)
                    for (const auto over : overs)
                        for (const auto max : {r2::duration(0s), r2::duration(500ms), r2::duration(2h)})
                            for (const auto asked : asked_waits)
                                for (const auto guarded : guard_waits) {
                                    const loop_limits l{.retry_after = {honour, max, over}, .interval = interval};
                                    EXPECT_TRUE(agree(l, {.stop_requested = stop}, c, {asked, guarded}));
                                    ++cases;
                                }
    EXPECT_EQ(cases, 6 * 2 * 3 * 2 * 3 * 3 * 5 * 5);
}

// One row for each rule, by hand.

struct row {
    const char* rule;
    loop_limits l;
    attempt_facts f;
    classification c;
    given g;
    decision expected;
};

constexpr classification met = classification::met, unmet = classification::unmet, busy = classification::retryable;
constexpr attempt_facts lost{.sent = r2::sent::maybe, .idempotent = false};

constexpr row rows[] = {
    {"1: cut by the stop", {}, {}, classification::stopped, {}, {ended::stopped}},
    {"2: terminate_if", {}, {}, met, {}, {ended::condition_met}},
    {"2: terminate_if of an error", {}, lost, met, {}, {ended::condition_met}},
    {"3: success without terminate_if", {}, {}, classification::succeeded, {}, {ended::succeeded}},
    {"3: polling", {}, {}, unmet, {}, {ended::not_yet, 2s, wait_source::backoff}},
    {"4: a failure that isn't worth it", {}, {}, classification::permanent, {}, {ended::not_retryable}},
    {"5: unsafe before exhausted",
     {.max_attempts = 1, .replay = r2::replay::when_safe},
     lost,
     busy,
     {},
     {ended::unsafe_to_replay}},
    {"5: a response is never unsafe",
     {.replay = r2::replay::when_safe},
     {.idempotent = false},
     busy,
     {},
     {ended::not_yet, 2s, wait_source::backoff}},
    {"6: exhausted before the stop", {.max_attempts = 1}, {.stop_requested = true}, busy, {}, {ended::exhausted}},
    {"6: exhausted, though polling", {.max_attempts = 1}, {}, unmet, {}, {ended::exhausted}},
    {"6: one attempt is left", {.max_attempts = 2}, {}, busy, {}, {ended::not_yet, 2s, wait_source::backoff}},
    {"7: finished in its grace", {}, {.stop_requested = true}, busy, {}, {ended::stopped}},
    {"8: Retry-After of a success that is polled",
     {},
     {},
     unmet,
     {.asked = 9s},
     {ended::not_yet, 9s, wait_source::retry_after}},
    {"8: Retry-After over the interval",
     {.interval = 5s},
     {},
     busy,
     {.asked = 1s},
     {ended::not_yet, 1s, wait_source::retry_after}},
    {"8: Retry-After not honoured",
     {.retry_after = {.honour = false}},
     {},
     busy,
     {.asked = 9s},
     {ended::not_yet, 2s, wait_source::backoff}},
    {"8: just the longest Retry-After", {}, {}, busy, {.asked = 6h}, {ended::not_yet, 6h, wait_source::retry_after}},
    {"8: too long a Retry-After", {}, {}, busy, {.asked = 6h + 1ns}, {ended::retry_after_too_long}},
    {"8: too long a Retry-After, past the deadline",
     {.deadline = now},
     {},
     busy,
     {.asked = 6h + 1ns},
     {ended::retry_after_too_long}},
    {"8: clamped",
     {.retry_after = {.max = 1min, .over = r2::over_max::clamp}},
     {},
     busy,
     {.asked = 1h},
     {ended::not_yet, 1min, wait_source::retry_after}},
    {"8: waited for all the same",
     {.retry_after = {.max = 1min, .over = r2::over_max::wait}},
     {},
     busy,
     {.asked = 1h},
     {ended::not_yet, 1h, wait_source::retry_after}},
    {"9: just on the deadline", {.deadline = now + 2s}, {}, busy, {}, {ended::deadline}},
    {"9: just before the deadline",
     {.deadline = now + 2s + 1ns},
     {},
     busy,
     {},
     {ended::not_yet, 2s, wait_source::backoff}},
    {"9: a wait that overflows",
     {.retry_after = {.over = r2::over_max::wait}, .deadline = now + 1h},
     {},
     busy,
     {.asked = r2::duration::max()},
     {ended::deadline}},
    {"9: a guard refuses", {}, {}, busy, {.guarded = std::nullopt}, {ended::refused}},
    {"9: the deadline before the guards", {.deadline = now}, {}, busy, {.guarded = std::nullopt}, {ended::deadline}},
    {"9: a guard's longer wait", {}, {}, busy, {.guarded = 3s}, {ended::not_yet, 3s, wait_source::guard}},
    {"9: a guard's shorter wait", {}, {}, busy, {.guarded = 2s}, {ended::not_yet, 2s, wait_source::backoff}},
    {"9: a guard's wait past the deadline", {.deadline = now + 3s}, {}, busy, {.guarded = 3s}, {ended::deadline}},
};

constexpr bool all_rows_hold() {
    for (const row& each : rows)
        if (!(decide(each.l, each.f, each.c, each.g) == each.expected)) return false;
    return true;
}
static_assert(all_rows_hold());

TEST(machine, decides_each_rule_by_hand) {
    for (const row& each : rows) EXPECT_EQ(decide(each.l, each.f, each.c, each.g), each.expected) << each.rule;
}

// The attempts before.

struct growing : given {
    constexpr r2::duration backoff(int retry, r2::duration previous, double u) const {
        return r2::jitter::decorrelated(1s, 20s).apply(std::chrono::seconds(retry), previous, u);
    }
};

TEST(machine, hands_backoff_the_number_of_the_retry_and_the_wait_before) {
    machine m({});
    growing g;
    EXPECT_EQ(m.decide({.number = 1}, busy, now, 0.5, g).wait, 2s);      // 1s + u·(3·1s − 1s)
    EXPECT_EQ(m.decide({.number = 2}, busy, now, 0.5, g).wait, 3500ms);  // 1s + u·(3·2s − 1s)
    EXPECT_EQ(m.decide({.number = 3}, busy, now, 0.999, g).wait,
              r2::jitter::decorrelated(1s, 20s).apply({}, 3500ms, 0.999));
}

TEST(machine, asks_each_of_3_waits_at_most_once_and_only_as_far_as_the_rules_get) {
    struct counting : given {
        int server = 0, own = 0, guard = 0;
        std::optional<r2::duration> retry_after() {
            ++server;
            return asked;
        }
        r2::duration backoff(int, r2::duration, double) {
            ++own;
            return delay;
        }
        std::optional<r2::duration> guards() {
            ++guard;
            return guarded;
        }
        int all() const { return server * 100 + own * 10 + guard; }
    };
    counting g;
    for (const auto c : {classification::stopped, met, classification::succeeded, classification::permanent}) {
        machine({}).decide({}, c, now, 0, g);
        EXPECT_EQ(g.all(), 0);
    }
    machine({.deadline = now}).decide({}, busy, now, 0, g);
    EXPECT_EQ(g.all(), 110);
    machine({}).decide({}, busy, now, 0, g);
    EXPECT_EQ(g.all(), 221);
    g.asked = 1s;
    machine({}).decide({}, unmet, now, 0, g);
    EXPECT_EQ(g.all(), 322);
}

TEST(loop_limits, are_those_of_the_options_from_the_first_pull_on) {
    const r2::options o{.max_attempts = 3, .interval = 2s, .deadline = 1min, .replay = r2::replay::when_safe};
    const loop_limits l = r2::detail::limits_of(o, now);
    EXPECT_EQ(l.max_attempts, 3);
    EXPECT_EQ(l.interval, 2s);
    EXPECT_EQ(l.deadline, now + 1min);
    EXPECT_EQ(l.replay, r2::replay::when_safe);
    EXPECT_EQ(r2::detail::limits_of({.deadline = -1s}, now).deadline, r2::detail::never);
}

TEST(attempt_facts, are_those_of_an_attempt_and_the_request_as_sent) {
    r2::attempt a(r2::error(r2::errc::timeout, {}, r2::sent::maybe));
    a.notes().number = 4;
    const attempt_facts f = r2::detail::facts_of({.method = "POST"}, a, true);
    EXPECT_EQ(f.number, 4);
    EXPECT_EQ(f.sent, r2::sent::maybe);
    EXPECT_FALSE(f.idempotent);
    EXPECT_TRUE(f.stop_requested);
    EXPECT_TRUE(r2::detail::facts_of({}, a, false).idempotent);
}

}  // namespace
