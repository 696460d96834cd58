#include <gtest/gtest.h>

#include <optional>

#include <r2/machine/machine.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::verdict;
using r2::wait_source;

constexpr r2::time_point now{24h};

/// The user's answers, as constants.
struct given {
    std::optional<bool> terminate = {};
    bool retry = true;
    std::optional<r2::duration> asked_wait = {};
    r2::duration delay = 2s;

    constexpr std::optional<bool> terminate_if() const { return terminate; }
    constexpr bool retry_if() const { return retry; }
    constexpr std::optional<r2::duration> retry_after() const { return asked_wait; }
    constexpr r2::duration backoff(int, r2::duration, double) const { return delay; }
};

constexpr verdict decide(const r2::rules& r, const r2::facts& o, const given& g) {
    r2::machine m(r);
    return m.decide(o, now, 0.5, g);
}

/// Part 3 of the rules as they are written, one after the other: made to be compared, not to be short.
constexpr verdict as_written(const r2::rules& r, const r2::facts& o, const given& g) {
    const bool got_response = o.status.has_value();
    if (o.cut_by_stop) return {ended::stopped};
    if (g.terminate.has_value() && *g.terminate) return {ended::condition_met};
    if (got_response && *o.status < 400 && !g.terminate.has_value()) return {ended::succeeded};
    if ((!got_response || *o.status >= 400) && !g.retry) return {ended::not_retryable};
    if (!got_response && o.sent == r2::sent::maybe && r.replay == r2::replay::when_safe && !o.idempotent)
        return {ended::unsafe_to_replay};
    if (r.max_attempts > 0 && o.number == r.max_attempts) return {ended::exhausted};
    if (o.stop_requested) return {ended::stopped};

    r2::duration wait = g.delay;
    wait_source from = wait_source::backoff;
    if (r.interval > 0s) {
        wait = r.interval;
        from = wait_source::interval;
    }
    if (r.retry_after.honour && g.asked_wait) {
        const r2::duration max = r.retry_after.max > 0s ? r.retry_after.max : r2::duration(6h);
        wait = *g.asked_wait;
        from = wait_source::retry_after;
        if (wait > max && r.retry_after.over == r2::over_max::stop) return {ended::retry_after_too_long};
        if (wait > max && r.retry_after.over == r2::over_max::clamp) wait = max;
    }
    if (r.deadline != r2::detail::never && r.deadline - now <= wait) return {ended::deadline};
    return {ended::not_yet, wait, from};
}

// The table: each dimension of the rules times all the others.

constexpr std::optional<int> statuses[] = {std::nullopt, 0, 200, 204, 302, 399, 400, 404, 408, 425, 429, 500, 503, 599};
constexpr r2::sent sents[] = {r2::sent::no, r2::sent::maybe};
constexpr std::optional<bool> terminates[] = {std::nullopt, true, false};
constexpr bool bools[] = {false, true};
constexpr r2::replay replays[] = {r2::replay::always, r2::replay::when_safe};
constexpr int positions[] = {1, 2, 3};  // of at most 2; a third where there is no limit
constexpr std::optional<r2::duration> asked_waits[] = {std::nullopt, 1s, 6h, 6h + 1ns, r2::duration::max()};
constexpr r2::over_max overs[] = {r2::over_max::stop, r2::over_max::clamp, r2::over_max::wait};
constexpr r2::duration deadlines[] = {0s, 1s, 2s, 2s + 1ns, 12h};  // from now; 0: none

/// How many cases of these statuses disagree with the rules as written.
constexpr int disagreements(std::optional<int> status) {
    int count = 0;
    for (const auto sent : sents)
        for (const auto terminate : terminates)
            for (const bool retry : bools)
                for (const auto replay : replays)
                    for (const bool idempotent : bools)
                        for (const int number : positions)
                            for (const auto asked : asked_waits)
                                for (const auto deadline : deadlines) {
                                    const r2::rules r{.max_attempts = number == 3 ? 0 : 2,
                                                      .replay = replay,
                                                      .deadline = deadline > 0s ? now + deadline : r2::detail::never};
                                    const r2::facts o{
                                        .number = number, .status = status, .sent = sent, .idempotent = idempotent};
                                    const given g{terminate, retry, asked};
                                    count += !(decide(r, o, g) == as_written(r, o, g));
                                }
    return count;
}

static_assert(disagreements(std::nullopt) == 0);
static_assert(disagreements(200) == 0);
static_assert(disagreements(503) == 0);

TEST(machine, agrees_with_the_rules_as_written_in_every_case_of_the_table) {
    for (const auto status : statuses) EXPECT_EQ(disagreements(status), 0) << "status " << status.value_or(-1);
}

TEST(machine, agrees_where_a_stop_an_interval_and_the_retry_after_policy_come_in) {
    int cases = 0;
    for (const auto status : statuses)
        for (const bool cut : bools)
            for (const bool stop : bools)
                for (const auto terminate : terminates)
                    for (const auto interval : {0s, -1s, 5s})
                        for (const bool honour : bools)
                            for (const auto over : overs)
                                for (const auto max : {r2::duration(0s), r2::duration(500ms), r2::duration(2h)})
                                    for (const auto asked : asked_waits) {
                                        const r2::rules r{.retry_after = {honour, max, over}, .interval = interval};
                                        const r2::facts o{.status = status, .cut_by_stop = cut, .stop_requested = stop};
                                        const given g{terminate, true, asked};
                                        EXPECT_EQ(decide(r, o, g), as_written(r, o, g));
                                        ++cases;
                                    }
    EXPECT_EQ(cases, 14 * 2 * 2 * 3 * 3 * 2 * 3 * 3 * 5);
}

// One row for each rule, by hand.

struct row {
    const char* rule;
    r2::rules r;
    r2::facts o;
    given g;
    verdict expected;
};

constexpr r2::facts ok{.status = 200};
constexpr r2::facts busy{.status = 503};
constexpr r2::facts lost{.sent = r2::sent::maybe, .idempotent = false};

constexpr row rows[] = {
    {"cut by the stop, before terminate_if", {}, {.cut_by_stop = true}, {.terminate = true}, {ended::stopped}},
    {"terminate_if of an error", {}, lost, {.terminate = true}, {ended::condition_met}},
    {"success without terminate_if", {}, ok, {}, {ended::succeeded}},
    {"polling", {}, ok, {.terminate = false}, {ended::not_yet, 2s, wait_source::backoff}},
    {"polling doesn't ask retry_if of a success",
     {},
     ok,
     {.terminate = false, .retry = false},
     {ended::not_yet, 2s, wait_source::backoff}},
    {"a failure that isn't worth it", {}, busy, {.retry = false}, {ended::not_retryable}},
    {"unsafe before exhausted",
     {.max_attempts = 1, .replay = r2::replay::when_safe},
     lost,
     {},
     {ended::unsafe_to_replay}},
    {"a response is never unsafe",
     {.replay = r2::replay::when_safe},
     {.status = 503, .idempotent = false},
     {},
     {ended::not_yet, 2s, wait_source::backoff}},
    {"exhausted before the stop", {.max_attempts = 1}, {.status = 503, .stop_requested = true}, {}, {ended::exhausted}},
    {"exhausted, though polling", {.max_attempts = 1}, ok, {.terminate = false}, {ended::exhausted}},
    {"finished in its grace", {}, {.status = 503, .stop_requested = true}, {}, {ended::stopped}},
    {"Retry-After of a success that is polled",
     {},
     ok,
     {.terminate = false, .asked_wait = 9s},
     {ended::not_yet, 9s, wait_source::retry_after}},
    {"Retry-After over the interval",
     {.interval = 5s},
     busy,
     {.asked_wait = 1s},
     {ended::not_yet, 1s, wait_source::retry_after}},
    {"Retry-After not honoured",
     {.retry_after = {.honour = false}},
     busy,
     {.asked_wait = 9s},
     {ended::not_yet, 2s, wait_source::backoff}},
    {"just the longest Retry-After", {}, busy, {.asked_wait = 6h}, {ended::not_yet, 6h, wait_source::retry_after}},
    {"too long a Retry-After", {}, busy, {.asked_wait = 6h + 1ns}, {ended::retry_after_too_long}},
    {"too long a Retry-After, past the deadline",
     {.deadline = now},
     busy,
     {.asked_wait = 6h + 1ns},
     {ended::retry_after_too_long}},
    {"clamped",
     {.retry_after = {.max = 1min, .over = r2::over_max::clamp}},
     busy,
     {.asked_wait = 1h},
     {ended::not_yet, 1min, wait_source::retry_after}},
    {"waited for all the same",
     {.retry_after = {.max = 1min, .over = r2::over_max::wait}},
     busy,
     {.asked_wait = 1h},
     {ended::not_yet, 1h, wait_source::retry_after}},
    {"just on the deadline", {.deadline = now + 2s}, busy, {}, {ended::deadline}},
    {"just before the deadline", {.deadline = now + 2s + 1ns}, busy, {}, {ended::not_yet, 2s, wait_source::backoff}},
    {"a wait that overflows",
     {.retry_after = {.over = r2::over_max::wait}, .deadline = now + 1h},
     busy,
     {.asked_wait = r2::duration::max()},
     {ended::deadline}},
};

constexpr bool all_rows_hold() {
    for (const row& each : rows)
        if (!(decide(each.r, each.o, each.g) == each.expected)) return false;
    return true;
}
static_assert(all_rows_hold());

TEST(machine, decides_each_rule_by_hand) {
    for (const row& each : rows) EXPECT_EQ(decide(each.r, each.o, each.g), each.expected) << each.rule;
}

// What depends on the attempts before.

struct growing : given {
    constexpr r2::duration backoff(int retry, r2::duration previous, double u) const {
        return r2::jitter::decorrelated(1s, 20s).apply(std::chrono::seconds(retry), previous, u);
    }
};

TEST(machine, hands_backoff_the_number_of_the_retry_and_the_wait_before) {
    r2::machine m({});
    growing g;
    EXPECT_EQ(m.decide({.number = 1, .status = 503}, now, 0.5, g).wait, 2s);      // 1s + u·(3·1s − 1s)
    EXPECT_EQ(m.decide({.number = 2, .status = 503}, now, 0.5, g).wait, 3500ms);  // 1s + u·(3·2s − 1s)
    EXPECT_EQ(m.decide({.number = 3, .status = 503}, now, 0.999, g).wait,
              r2::jitter::decorrelated(1s, 20s).apply({}, 3500ms, 0.999));
}

TEST(machine, asks_the_user_at_most_once_and_only_as_far_as_the_rules_get) {
    struct counting : given {
        int terminate_asked = 0, retry_asked = 0, wait_asked = 0, backoff_asked = 0;
        std::optional<bool> terminate_if() { return ++terminate_asked, terminate; }
        bool retry_if() { return ++retry_asked, retry; }
        std::optional<r2::duration> retry_after() { return ++wait_asked, asked_wait; }
        r2::duration backoff(int, r2::duration, double) { return ++backoff_asked, delay; }
    };
    r2::machine m({});
    counting g;
    m.decide(ok, now, 0, g);
    EXPECT_EQ(g.terminate_asked * 1000 + g.retry_asked * 100 + g.wait_asked * 10 + g.backoff_asked, 1000);
    m.decide(busy, now, 0, g);
    EXPECT_EQ(g.terminate_asked * 1000 + g.retry_asked * 100 + g.wait_asked * 10 + g.backoff_asked, 2111);
    m.decide({.cut_by_stop = true}, now, 0, g);
    EXPECT_EQ(g.terminate_asked * 1000 + g.retry_asked * 100 + g.wait_asked * 10 + g.backoff_asked, 2111);
}

// The same machine asked with real options and a real attempt: every form of Retry-After.

struct retry_after_row {
    const char* value;  // null: absent
    const char* date;
    verdict expected;
};

TEST(machine, reads_retry_after_in_every_form) {
    constexpr auto wall = r2::wall_time(std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min);
    constexpr verdict own{ended::not_yet, 2s, wait_source::backoff};
    constexpr verdict served{ended::not_yet, 37s, wait_source::retry_after};
    const retry_after_row table[] = {
        {nullptr, nullptr, own},
        {"37", nullptr, served},
        {"Sun, 06 Nov 1994 08:49:37 GMT", nullptr, served},
        {"Sunday, 06-Nov-94 08:49:37 GMT", nullptr, served},
        {"Sun Nov  6 08:49:37 1994", nullptr, served},
        {"Sun, 06 Nov 1994 08:49:37 GMT",
         "Sun, 06 Nov 1994 08:49:30 GMT",
         {ended::not_yet, 7s, wait_source::retry_after}},
        {"Sun, 06 Nov 1994 08:48:00 GMT", nullptr, own},  // past
        {"0", nullptr, own},
        {"-1", nullptr, own},
        {"1.5", nullptr, own},
        {"120s", nullptr, own},
        {"soon", nullptr, own},
        {"", nullptr, own},
        {"99999999999999999999999999", nullptr, {ended::retry_after_too_long}},
    };
    const r2::options o{.backoff = r2::backoff::constant(2s), .jitter = r2::jitter::none()};
    for (const auto& [value, date, expected] : table) {
        r2::response res{.status = 503};
        if (value) res.headers.add("Retry-After", value);
        if (date) res.headers.add("Date", date);
        const r2::attempt a(res);
        r2::answers_of answers(o, a, [&] { return wall; });
        EXPECT_EQ(r2::machine({}).decide(busy, now, 0.5, answers), expected) << (value ? value : "absent");
    }
}

TEST(machine, takes_what_names_no_number_for_attempt_1) {
    EXPECT_EQ(decide({.max_attempts = 1}, {.status = 503}, {}).ended, ended::exhausted);
    EXPECT_EQ(decide({.max_attempts = 2}, {.status = 503}, {}).ended, ended::not_yet);
}

TEST(machine, asks_amazon_for_more_only_where_the_server_s_wait_is_honoured) {
    const r2::attempt a(r2::response{.status = 503, .headers = {{"x-amz-retry-after", "3000"}}});
    for (const bool honour : bools) {
        const r2::options o{
            .backoff = r2::backoff::constant(2s), .jitter = r2::jitter::none(), .retry_after = {.honour = honour}};
        EXPECT_EQ(r2::answers_of(o, a, [] { return r2::wall_time(); }).backoff(0, 0s, 0.5), honour ? 3s : 2s);
    }
}

}  // namespace
