#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <r2/testing/fake_client.hpp>
#include "r2/policy/circuit_breaker.hpp"

namespace {

using namespace std::chrono_literals;
using r2::circuit;
using r2::circuit_breaker;
using r2::circuit_breaker_options;
using r2::ended;
using r2::errc;
using r2::scope;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
constexpr auto start = fake_client::beginning;

using changes = std::vector<std::pair<circuit, circuit>>;

r2::attempt answered(int status) { return r2::attempt(r2::response{.status = status}); }
r2::attempt failed(errc kind) { return r2::attempt(r2::error(kind)); }

/// Admits and records attempts as a range does, at a time that the test sets.
struct teller {
    circuit_breaker& breaker;
    r2::time_point now = start;

    /// Makes one attempt. Returns false if it was refused.
    bool tell(const r2::attempt& a) {
        const r2::request q{.url = url};
        if (!admits(q)) return false;
        breaker.record_of(q, a, now);
        return true;
    }
    void tell(int times, int status) {
        for (int i = 0; i < times; ++i) EXPECT_TRUE(tell(answered(status))) << i;
    }
    bool admits(const r2::request& q) { return !breaker.admit(q, 1, now).refused(); }
    circuit state() { return breaker.state(url); }
};

// closed

TEST(circuit_breaker, opens_when_half_of_10_attempts_failed) {
    circuit_breaker breaker;
    teller t{breaker};
    t.tell(5, 200);
    t.tell(4, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, stays_closed_below_10_attempts_if_all_fail) {
    circuit_breaker breaker;
    teller t{breaker};
    t.tell(9, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, judges_the_last_100_attempts) {
    circuit_breaker breaker;
    teller t{breaker};
    t.tell(100, 200);
    t.tell(49, 503);
    t.tell(51, 200);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(49, 503);  // the 49 failures before are out of the window
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, still_counts_the_1st_of_100_attempts) {
    circuit_breaker breaker;
    teller t{breaker};
    t.tell(1, 503);
    t.tell(50, 200);
    t.tell(48, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, still_counts_what_failed_9900_ms_ago_of_10_s) {
    circuit_breaker breaker({.sampling_duration = 10s});
    teller t{breaker};
    t.tell(9, 503);
    t.now += 9900ms;
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, judges_the_attempts_of_the_last_10_s_if_told_to) {
    circuit_breaker breaker({.sampling_duration = 10s});
    teller t{breaker};
    t.tell(9, 503);
    t.now += 10s;
    t.tell(9, 503);
    t.now += 9s;
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, forgets_each_tenth_of_its_sampling_duration_by_itself) {
    circuit_breaker breaker({.failure_rate = 1, .sampling_duration = 10s});
    teller t{breaker};
    t.tell(1, 200);
    for (int second = 1; second < 10; ++second) {
        t.now += 1s;
        t.tell(2, 503);
    }
    EXPECT_EQ(t.state(), circuit::closed);
    t.now += 1s;  // the 200 is forgotten
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, opens_at_a_rate_of_exactly_7_of_100) {
    circuit_breaker breaker({.failure_rate = 0.07, .minimum_throughput = 100});
    teller t{breaker};
    t.tell(93, 200);
    t.tell(6, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, a_window_of_3_needs_3_attempts) {
    circuit_breaker breaker({.failure_rate = 1, .window = 3});
    teller t{breaker};
    t.tell(1, 200);
    t.tell(2, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, counts_neither_5_errors_of_this_side_nor_1_that_is_no_failure) {
    circuit_breaker breaker({.minimum_throughput = 1});
    teller t{breaker};
    for (const errc own : {errc::stopped, errc::refused, errc::local, errc::invalid_request, errc::body_unreadable,
                           errc::too_many_redirects})
        EXPECT_TRUE(t.tell(failed(own)));
    EXPECT_EQ(t.state(), circuit::closed);
    EXPECT_TRUE(t.tell(failed(errc::timeout)));
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, uses_its_own_predicate_for_a_failure) {
    circuit_breaker breaker({.minimum_throughput = 2, .failure = r2::status_is(404) || r2::failed_with(errc::stopped)});
    teller t{breaker};
    EXPECT_TRUE(t.tell(failed(errc::stopped)));  // never a failure
    t.tell(2, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(2, 404);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, replaces_4_values_out_of_range_by_the_default) {
    circuit_breaker breaker({.failure_rate = 1.5, .window = -1, .minimum_throughput = -1, .open_for = -1s});
    teller t{breaker};
    t.tell(4, 503);
    t.tell(5, 200);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(breaker.admit({.url = url}, 1, t.now).reason(), "circuit breaker is open for another 30s");
}

TEST(circuit_breaker, takes_5_options_of_0_for_the_default) {
    circuit_breaker breaker(
        {.failure_rate = 0, .window = 0, .sampling_duration = 0s, .minimum_throughput = 0, .open_for = 0s});
    teller t{breaker};
    t.tell(4, 503);
    t.tell(10, 200);
    t.tell(5, 503);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(breaker.admit({.url = url}, 1, t.now).reason(), "circuit breaker is open for another 30s");
}

TEST(circuit_breaker, a_window_of_1_opens_at_1_failure) {
    circuit_breaker breaker({.window = 1});
    teller t{breaker};
    t.tell(1, 200);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, a_sampling_duration_of_1_ns_is_as_good_as_10) {
    circuit_breaker breaker({.sampling_duration = 1ns});
    teller t{breaker};
    t.tell(9, 503);
    t.now += 10ns;
    t.tell(9, 503);
    t.now += 9ns;
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

// open and half-open

/// A breaker that opens at `start`, for 30 s.
struct open_breaker {
    explicit open_breaker(circuit_breaker_options o = {}) : breaker(std::move(o)) { told.tell(10, 503); }

    circuit_breaker breaker;
    teller told{breaker};
};

TEST(circuit_breaker, refuses_while_it_is_open_and_says_for_how_long) {
    open_breaker open;
    open.told.now += 18s;
    const auto refused = open.breaker.admit({.url = url}, 1, open.told.now);
    EXPECT_TRUE(refused.refused());
    EXPECT_EQ(refused.reason(), "circuit breaker is open for another 12s");
}

TEST(circuit_breaker, lets_1_probe_through_after_30_s_whose_success_closes_it) {
    open_breaker open;
    auto& t = open.told;
    const r2::request probe{.url = url}, other{.url = url};
    t.now += 30s - 1ns;
    EXPECT_FALSE(t.admits(probe));
    t.now += 1ns;
    EXPECT_TRUE(t.admits(probe));
    EXPECT_EQ(t.state(), circuit::half_open);
    EXPECT_EQ(open.breaker.admit(other, 1, t.now).reason(), "circuit breaker is half-open, with a probe in flight");
    open.breaker.record_of(probe, answered(404), t.now);
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(9, 503);  // the failures before it opened don't count
    EXPECT_EQ(t.state(), circuit::closed);
    t.tell(1, 503);
    EXPECT_EQ(t.state(), circuit::open);
}

TEST(circuit_breaker, opens_for_30_s_more_when_the_probe_fails) {
    open_breaker open;
    auto& t = open.told;
    t.now += 31s;
    EXPECT_TRUE(t.tell(failed(errc::connect)));
    EXPECT_EQ(t.state(), circuit::open);
    t.now += 29s;
    EXPECT_EQ(open.breaker.admit({.url = url}, 1, t.now).reason(), "circuit breaker is open for another 1s");
    t.now += 1s;
    EXPECT_TRUE(t.tell(answered(200)));
    EXPECT_EQ(t.state(), circuit::closed);
}

TEST(circuit_breaker, a_probe_that_is_cancelled_makes_room_for_another) {
    open_breaker open;
    auto& t = open.told;
    const r2::request probe{.url = url}, other{.url = url};
    t.now += 30s;
    EXPECT_TRUE(t.admits(probe));
    open.breaker.cancel(other, t.now);  // an attempt from before it opened
    EXPECT_FALSE(t.admits(other));
    open.breaker.cancel(probe, t.now);
    EXPECT_EQ(t.state(), circuit::half_open);
    EXPECT_TRUE(t.admits(other));
}

TEST(circuit_breaker, a_probe_that_is_neither_failure_nor_success_makes_room_for_another) {
    open_breaker open;
    auto& t = open.told;
    t.now += 30s;
    for (const errc neither : {errc::stopped, errc::too_many_redirects}) {
        EXPECT_TRUE(t.tell(failed(neither)));
        EXPECT_EQ(t.state(), circuit::half_open);
    }
    EXPECT_TRUE(t.tell(answered(200)));
    EXPECT_EQ(t.state(), circuit::closed);
}

TEST(circuit_breaker, no_result_of_an_attempt_from_before_it_opened_changes_it) {
    circuit_breaker breaker;
    teller t{breaker};
    const r2::request slow[3] = {{.url = url}, {.url = url}, {.url = url}};
    for (const auto& each : slow) EXPECT_TRUE(t.admits(each));
    t.tell(10, 503);
    breaker.record_of(slow[0], answered(200), t.now);
    EXPECT_EQ(t.state(), circuit::open);
    t.now += 30s;
    const r2::request probe{.url = url};
    EXPECT_TRUE(t.admits(probe));
    breaker.record_of(slow[1], answered(200), t.now);
    breaker.record_of(slow[2], answered(503), t.now);
    EXPECT_EQ(t.state(), circuit::half_open);
    EXPECT_FALSE(t.admits(slow[1]));
    breaker.record_of(probe, answered(200), t.now);
    EXPECT_EQ(t.state(), circuit::closed);
}

TEST(circuit_breaker, a_timeout_that_began_before_it_closed_is_not_counted) {
    fake_client fake;
    circuit_breaker_options o{.minimum_throughput = 1, .open_for = 10s};
    const auto breaker = std::make_shared<circuit_breaker>(o);
    teller t{*breaker};
    fake.hang();
    fake.at(10s, [&] { t.tell(1, 503); });
    fake.at(25s, [&] {
        t.now = start + 25s;
        t.tell(1, 200);
    });
    const auto slow = fake.get(url, {.max_attempts = 1, .timeout = 60s, .guards = {breaker}}).finish();
    EXPECT_EQ(slow.error(), errc::timeout);
    EXPECT_EQ(t.state(), circuit::closed);
}

TEST(circuit_breaker, a_predicate_that_throws_frees_the_probes_place) {
    const auto picky = [](const r2::response& res) {
        return res.status == 418 ? throw std::runtime_error("tea") : res.status > 499;
    };
    open_breaker open({.failure = picky});
    auto& t = open.told;
    t.now += 30s;
    EXPECT_THROW(t.tell(answered(418)), std::runtime_error);
    EXPECT_TRUE(t.tell(answered(200)));
    EXPECT_EQ(t.state(), circuit::closed);
}

// in ranges

TEST(circuit_breaker, ends_a_range_at_the_response_that_opened_it) {
    fake_client fake;
    for (int i = 0; i < 3; ++i) fake.reply(503);
    const auto breaker = std::make_shared<circuit_breaker>(circuit_breaker_options{.minimum_throughput = 3});
    const auto end = fake.get(url, {.guards = {breaker}}).finish();
    EXPECT_EQ(end.number(), 3);
    EXPECT_EQ(end.ended(), ended::refused);
    EXPECT_EQ(end.refusal(), "circuit breaker is open for another 30s");
    const auto unsent = fake.get(url, {.guards = {breaker}}).finish();
    EXPECT_EQ(unsent.error(), errc::refused);
    EXPECT_EQ(unsent.sends(), 0);
    EXPECT_EQ(fake.requests().size(), 3U);
}

TEST(circuit_breaker, of_2_ranges_1_is_the_probe_and_the_other_is_refused) {
    fake_client fake;
    const auto breaker = std::make_shared<circuit_breaker>(circuit_breaker_options{.minimum_throughput = 1});
    const r2::options o{.max_attempts = 1, .guards = {breaker}};
    fake.reply(503);
    (void)fake.get(url, o).finish();
    EXPECT_EQ(breaker->state(url), circuit::open);
    fake.advance(30s);
    fake.reply_after(2s, 200);
    fake.at(31s, [&] {
        EXPECT_EQ(breaker->state(url), circuit::half_open);
        const auto other = fake.get(url, o).finish();
        EXPECT_EQ(other.error().message(), "refused: circuit breaker is half-open, with a probe in flight");
    });
    const auto probe = fake.get(url, o).finish();
    EXPECT_EQ(probe.ended(), ended::succeeded);
    EXPECT_EQ(fake.now(), 32s);
    EXPECT_EQ(fake.requests().size(), 2U);
    EXPECT_EQ(breaker->state(url), circuit::closed);
}

TEST(circuit_breaker, a_probe_cut_by_a_stop_makes_room_for_the_next_range) {
    fake_client fake;
    std::stop_source source;
    const auto breaker = std::make_shared<circuit_breaker>(circuit_breaker_options{.minimum_throughput = 1});
    fake.reply(503).hang().reply(200);
    (void)fake.get(url, {.max_attempts = 1, .guards = {breaker}}).finish();
    fake.advance(30s);
    fake.at(31s, [&] { source.request_stop(); });
    EXPECT_EQ(fake.get(url, {.stop = source.get_token(), .guards = {breaker}}).finish().ended(), ended::stopped);
    EXPECT_EQ(breaker->state(url), circuit::half_open);
    EXPECT_EQ(fake.get(url, {.guards = {breaker}}).finish().ended(), ended::succeeded);
    EXPECT_EQ(breaker->state(url), circuit::closed);
}

TEST(circuit_breaker, a_range_left_in_the_5_s_before_its_probe_makes_room) {
    fake_client fake;
    const auto breaker =
        std::make_shared<circuit_breaker>(circuit_breaker_options{.minimum_throughput = 1, .open_for = 1s});
    fake.reply_after(2s, 503).reply(200);
    fake.at(500ms, [&] { teller{*breaker, start + 500ms}.tell(1, 503); });
    for (auto& a : fake.get(url, {.interval = 5s, .guards = {breaker}})) {
        EXPECT_EQ(a.ended(), ended::not_yet);
        EXPECT_EQ(fake.get(url, {.guards = {breaker}}).finish().error(), errc::refused);
        break;
    }
    EXPECT_EQ(fake.get(url, {.guards = {breaker}}).finish().ended(), ended::succeeded);
    EXPECT_EQ(breaker->state(url), circuit::closed);
}

TEST(circuit_breaker, each_origin_has_its_own_and_a_global_one_is_for_all) {
    for (const scope s : {scope::origin, scope::global}) {
        circuit_breaker breaker({.minimum_throughput = 1}, s);
        teller{breaker}.tell(1, 503);
        EXPECT_EQ(breaker.state("http://JOB.test:80/"), circuit::open);
        EXPECT_EQ(breaker.state("http://other.test/"), s == scope::origin ? circuit::closed : circuit::open);
    }
}

// on_change

TEST(circuit_breaker, announces_5_changes_in_order_and_without_its_lock) {
    changes seen;
    circuit_breaker* self = nullptr;
    const auto note = [&](circuit from, circuit to) {
        seen.emplace_back(from, to);
        EXPECT_EQ(self->state(url), to);
    };
    circuit_breaker breaker({.minimum_throughput = 1, .on_change = note});
    self = &breaker;
    teller t{breaker};
    t.tell(1, 503);
    for (const int status : {503, 200}) {
        t.now += 30s;
        t.tell(1, status);
    }
    EXPECT_EQ(seen, (changes{{circuit::closed, circuit::open},
                             {circuit::open, circuit::half_open},
                             {circuit::half_open, circuit::open},
                             {circuit::open, circuit::half_open},
                             {circuit::half_open, circuit::closed}}));
}

TEST(circuit_breaker, a_change_made_within_on_change_is_announced_after_it) {
    changes seen;
    std::function<void()> once;
    const auto note = [&](circuit from, circuit to) {
        if (once) std::exchange(once, nullptr)();
        seen.emplace_back(from, to);
    };
    circuit_breaker breaker({.minimum_throughput = 1, .on_change = note});
    teller t{breaker};
    once = [&] { teller{breaker, start + 30s}.tell(1, 200); };
    t.tell(1, 503);
    EXPECT_EQ(seen, (changes{{circuit::closed, circuit::open},
                             {circuit::open, circuit::half_open},
                             {circuit::half_open, circuit::closed}}));
}

TEST(circuit_breaker, an_on_change_that_throws_reaches_the_loop_and_holds_no_place) {
    bool bad = true;
    const auto note = [&](circuit, circuit) {
        if (bad) throw std::runtime_error("note");
    };
    circuit_breaker breaker({.minimum_throughput = 1, .on_change = note});
    teller t{breaker};
    EXPECT_THROW(t.tell(1, 503), std::runtime_error);
    EXPECT_EQ(t.state(), circuit::open);
    t.now += 30s;
    EXPECT_THROW(t.tell(1, 200), std::runtime_error);
    EXPECT_EQ(t.state(), circuit::half_open);
    bad = false;
    t.tell(1, 200);
    EXPECT_EQ(t.state(), circuit::closed);
}

TEST(circuit_breaker, gives_the_place_of_a_probe_that_is_not_over_after_10_s_to_another) {
    circuit_breaker breaker({.minimum_throughput = 1, .open_for = 10s});
    teller{breaker}.tell(1, 503);
    const r2::request first{.url = url}, second{.url = url};
    const auto later = start + 20s;
    EXPECT_FALSE(breaker.admit(first, 1, later).refused());
    EXPECT_TRUE(breaker.admit(second, 1, later + 9s).refused());
    EXPECT_FALSE(breaker.admit(second, 1, later + 10s).refused());
    breaker.record_of(first, answered(503), later + 11s);
    EXPECT_EQ(breaker.state(url), circuit::half_open) << "the outcome of the first probe comes too late";
    breaker.record_of(second, answered(200), later + 12s);
    EXPECT_EQ(breaker.state(url), circuit::closed);
}

// threads

TEST(circuit_breaker, never_has_2_probes_at_once_with_8_threads) {
    std::atomic<int> told = 0;
    circuit last = circuit::closed;
    const auto note = [&](circuit from, circuit to) {
        EXPECT_EQ(from, last);  // in order, and one at a time
        last = to;
        ++told;
    };
    circuit_breaker breaker({.minimum_throughput = 1, .open_for = 1ns, .on_change = note});
    teller{breaker}.tell(1, 503);
    std::atomic<int> probes = 0, probed = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&, thread] {
            const r2::request q{.url = url};
            const r2::attempt neither{r2::error(r2::errc::stopped)};  // so that it stays half-open
            for (int i = 0; i < 5000; ++i) {
                const auto now = start + 1us;
                if (breaker.admit(q, 1, now).refused()) continue;
                EXPECT_EQ(++probes, 1);
                ++probed;
                if (i % 8 == thread) std::this_thread::yield();
                --probes;
                i % 3 ? breaker.record_of(q, neither, now) : breaker.cancel(q, now);
            }
        });
    for (auto& each : threads) each.join();
    EXPECT_GT(probed, 0);
    EXPECT_GT(told, 1);
}

}  // namespace
