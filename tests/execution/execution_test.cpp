#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <r2/execution/execution.hpp>
#include <r2/testing/virtual_transport.hpp>

// One execution, driven by hand on a transport without a network.

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::detail::completion;
using r2::detail::execution;

struct rig {
    explicit rig(r2::options options = {}) : o(std::move(options)) {}

    /// The next request is answered so, after this time.
    void script(r2::outcome what, r2::duration after = {}) {
        world->script.push_back({std::make_shared<const std::function<r2::outcome(const r2::request&)>>(
                                     [what](const r2::request&) { return what; }),
                                 after});
    }
    void pass(r2::duration d) { world->now += d; }

    std::shared_ptr<r2::testing::detail::world> world = std::make_shared<r2::testing::detail::world>();
    r2::testing::detail::virtual_transport transport{world};
    r2::detail::latency_log latencies;
    r2::request q{.method = "GET", .url = "http://a/"};
    r2::options o;
    execution e{{transport, latencies, q, o}, transport.now()};
};

TEST(execution, goes_through_2_attempts_step_by_step) {
    rig r({.timeout = 5s, .interval = 3s});
    r.script(503, 1s);
    r.script(200, 1s);
    const r2::time_point start = r.transport.now();
    ASSERT_TRUE(r.e.admit_first());
    EXPECT_EQ(r.e.due(), r2::time_point::min());
    ASSERT_TRUE(r.e.prepare());
    ASSERT_FALSE(r.e.start());
    EXPECT_TRUE(r.e.in_flight());
    EXPECT_EQ(r.e.next_timer(), start + 5s);
    const auto complete = r.transport.wait_until(start + 5s);
    ASSERT_TRUE(complete);
    std::unique_ptr<r2::attempt> first = r.e.on_completion(*complete);
    ASSERT_TRUE(first);
    EXPECT_FALSE(r.e.in_flight());
    EXPECT_EQ(first->response()->status, 503);
    EXPECT_EQ(first->number(), 1);
    EXPECT_EQ(first->sends(), 1);
    EXPECT_EQ(first->elapsed(), 1s);
    EXPECT_EQ(first->wait(), 3s);
    EXPECT_EQ(first->wait_from(), r2::wait_source::interval);
    EXPECT_EQ(r.e.due(), start + 4s);

    r.pass(3s);
    ASSERT_TRUE(r.e.can_go_on() && r.e.prepare());
    ASSERT_FALSE(r.e.start());
    const std::unique_ptr<r2::attempt> second = r.e.on_completion(*r.transport.wait_until(r2::time_point::max()));
    ASSERT_TRUE(second);
    EXPECT_EQ(second->number(), 2);
    EXPECT_EQ(second->ended(), ended::succeeded);
    EXPECT_EQ(r.e.reason(), ended::succeeded);
}

TEST(execution, cuts_an_attempt_whose_timer_has_passed) {
    rig r({.max_attempts = 1, .timeout = 5s});
    r.script(200, 1h);
    ASSERT_TRUE(r.e.prepare());
    ASSERT_FALSE(r.e.start());
    r.pass(5s);
    const std::unique_ptr<r2::attempt> a = r.e.on_timer();
    ASSERT_TRUE(a);
    EXPECT_TRUE(a->error() == errc::timeout);
    EXPECT_EQ(a->elapsed(), 5s);
    EXPECT_EQ(a->ended(), ended::exhausted);
    EXPECT_FALSE(r.transport.wait_until(r.transport.now())) << "nothing is left in the transport";
}

TEST(execution, cancels_what_is_in_flight_when_it_is_destroyed) {
    const auto world = std::make_shared<r2::testing::detail::world>();
    world->script.push_back({std::make_shared<const std::function<r2::outcome(const r2::request&)>>(
        [](const r2::request&) { return r2::outcome(200); })});
    r2::testing::detail::virtual_transport transport(world);
    r2::detail::latency_log latencies;
    const r2::request q{.url = "http://a/"};
    const r2::options o;
    {
        execution e({transport, latencies, q, o}, transport.now());
        ASSERT_FALSE(e.start());
    }
    EXPECT_FALSE(transport.wait_until(transport.now()));
}

TEST(execution, ends_before_its_first_attempt_for_each_of_3_reasons) {
    std::stop_source stop;
    stop.request_stop();
    rig stopped({.stop = stop.get_token()});
    EXPECT_FALSE(stopped.e.admit_first());
    EXPECT_EQ(stopped.e.reason(), ended::stopped);
    const r2::attempt a = *stopped.e.make_stand_in();
    EXPECT_EQ(a.error().message(), "stopped: before the first attempt");
    EXPECT_EQ(a.ended(), ended::stopped);
    EXPECT_EQ(a.number(), 1);

    rig late({.deadline = 1s});
    late.pass(1s);
    EXPECT_FALSE(late.e.admit_first());
    EXPECT_EQ(late.e.make_stand_in()->error().message(), "timeout: the deadline of 1s comes before the first attempt");

    struct no final : r2::guard {
        r2::admission admit(const r2::request&, int, r2::time_point) override {
            return r2::admission::refuse("closed");
        }
    };
    rig refused({.guards = {std::make_shared<no>()}});
    EXPECT_FALSE(refused.e.admit_first());
    const r2::attempt b = *refused.e.make_stand_in();
    EXPECT_TRUE(b.error() == errc::refused);
    EXPECT_EQ(b.refusal(), "closed");
}

TEST(execution, makes_an_attempt_without_sending_in_3_ways) {
    rig bad;
    bad.q.url = "";
    const std::unique_ptr<r2::attempt> a = bad.e.start();
    ASSERT_TRUE(a);
    EXPECT_TRUE(a->error() == errc::invalid_request);
    EXPECT_EQ(a->sends(), 0);

    rig answered({.before_attempt = [](r2::request&) { return r2::response{.status = 207}; }});
    ASSERT_TRUE(answered.e.prepare());
    const std::unique_ptr<r2::attempt> b = answered.e.start();
    ASSERT_TRUE(b);
    EXPECT_EQ(b->response()->status, 207);
    EXPECT_EQ(b->sends(), 0);

    rig called;
    const r2::attempt c = *called.e.complete_unsent([&] {
        called.pass(2s);
        return r2::attempt(r2::response{.status = 200});
    });
    EXPECT_EQ(c.ended(), ended::succeeded);
    EXPECT_EQ(c.elapsed(), 2s);
}

TEST(execution, keeps_the_notes_whatever_after_attempt_puts_in_the_place_of_the_outcome) {
    rig r({.after_attempt = [](const r2::request&, r2::attempt& a) {
        EXPECT_EQ(a.number(), 1);
        EXPECT_EQ(a.elapsed(), 1s);
        a = r2::attempt(r2::error(errc::protocol));
    }});
    r.script(200, 1s);
    ASSERT_FALSE(r.e.start());
    const std::unique_ptr<r2::attempt> a = r.e.on_completion(*r.transport.wait_until(r2::time_point::max()));
    ASSERT_TRUE(a);
    EXPECT_TRUE(a->error() == errc::protocol);
    EXPECT_EQ(a->error().sent(), r2::sent::no) << "as it was put there";
    EXPECT_EQ(a->number(), 1);
    EXPECT_EQ(a->sends(), 1);
    EXPECT_EQ(a->elapsed(), 1s);
}

TEST(execution, keeps_the_outcome_of_an_attempt_in_which_1_of_4_callables_throws) {
    const auto oops = [](auto&&...) -> bool { throw std::runtime_error("oops"); };
    const r2::options throwing[] = {
        {.terminate_if = [=](const r2::attempt& a) { return oops(a); }},
        {.backoff = r2::backoff::custom([=](int) -> r2::duration { return oops() ? 0s : 1s; })},
        {.after_attempt = [=](const r2::request&, r2::attempt&) { oops(); }},
        {.on_attempt = [=](const r2::request&, const r2::attempt&) { oops(); }},
    };
    for (const r2::options& o : throwing) {
        rig r(o);
        r.script(503);
        ASSERT_FALSE(r.e.start());
        EXPECT_THROW(r.e.on_completion(*r.transport.wait_until(r2::time_point::max())), std::runtime_error);
        const std::unique_ptr<r2::attempt> a = r.e.thrown_attempt();
        ASSERT_TRUE(a);
        EXPECT_EQ(a->response()->status, 503);
        EXPECT_FALSE(r.e.in_flight());
    }
}

TEST(execution, has_nothing_in_flight_after_a_guard_threw_at_the_copy_that_lost) {
    struct throws_at_a_cut final : r2::guard {
        r2::admission admit(const r2::request&, int, r2::time_point) override { return r2::admission::go(); }
        void record(const r2::attempt& a, r2::time_point) override {
            if (a.error() == errc::stopped) throw std::runtime_error("oops");
        }
    };
    rig r({.guards = {std::make_shared<throws_at_a_cut>()}, .hedge = {.copies = 1}});
    r.script(200, 1s);
    r.script(200, 2s);
    ASSERT_FALSE(r.e.start());
    EXPECT_THROW(r.e.on_completion(*r.transport.wait_until(r2::time_point::max())), std::runtime_error);
    EXPECT_FALSE(r.e.in_flight());
}

TEST(execution, goes_on_with_the_other_copy_when_1_of_2_fails) {
    rig r({.timeout = 1min, .interval = 1s, .hedge = {.copies = 1, .after = 10s}});
    r.script(503, 2s);
    r.script(200, 4s);
    ASSERT_FALSE(r.e.start());
    EXPECT_EQ(r.e.next_timer(), r.transport.now() + 10s);
    EXPECT_FALSE(r.e.on_completion(*r.transport.wait_until(r2::time_point::max())))
        << "the failure sent the copy at once";
    const std::unique_ptr<r2::attempt> a = r.e.on_completion(*r.transport.wait_until(r2::time_point::max()));
    ASSERT_TRUE(a);
    EXPECT_EQ(a->response()->status, 200);
    EXPECT_EQ(a->sends(), 2);
    EXPECT_EQ(a->elapsed(), 6s);
    ASSERT_EQ(a->copies().size(), 2U);
    EXPECT_EQ(a->copies()[0].became, r2::hedged_copy::fate::failed);
    EXPECT_EQ(a->copies()[1].became, r2::hedged_copy::fate::won);
}

}  // namespace
