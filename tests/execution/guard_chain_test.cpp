#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <r2/testing/fake_client.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
using log = std::vector<std::string>;

/// Writes down what it is asked and told; answers as the test says.
class noting_guard : public r2::guard {
public:
    explicit noting_guard(std::function<r2::admission(int)> answer = [](int) { return r2::admission::go(); })
        : answer_(std::move(answer)) {}

    r2::admission admit(const r2::request&, int number, r2::time_point) override {
        notes.push_back("admit " + std::to_string(number));
        return answer_(number);
    }
    void record(const r2::attempt& a, r2::time_point) override {
        notes.push_back("record " + std::to_string(a.number()));
    }
    void cancel(const r2::request&, r2::time_point) override { notes.push_back("cancel"); }

    log notes;

private:
    std::function<r2::admission(int)> answer_;
};

TEST(guards, hear_of_every_attempt_they_admitted) {
    fake_client fake;
    fake.reply(503).reply(200);
    const auto g = std::make_shared<noting_guard>();
    EXPECT_EQ(fake.get(url, {.guards = {nullptr, g}}).finish().ended(), ended::succeeded);
    EXPECT_EQ(g->notes, (log{"admit 1", "record 1", "admit 2", "record 2"}));
}

TEST(guards, refusing_the_first_attempt_sends_nothing) {
    fake_client fake;
    const auto first = std::make_shared<noting_guard>();
    const auto second = std::make_shared<noting_guard>([](int) { return r2::admission::refuse("breaker is open"); });
    const auto last = fake.get(url, {.guards = {first, second}}).finish();
    EXPECT_EQ(last.error(), errc::refused);
    EXPECT_EQ(last.error().message(), "refused: breaker is open");
    EXPECT_EQ(last.refusal(), "breaker is open");
    EXPECT_EQ(last.ended(), ended::refused);
    EXPECT_EQ(last.sends(), 0);
    EXPECT_EQ(fake.requests().size(), 0U);
    EXPECT_EQ(first->notes, (log{"admit 1", "cancel"}));
    EXPECT_EQ(second->notes, (log{"admit 1"}));
}

TEST(guards, refusing_a_later_attempt_ends_at_the_response_before_it) {
    fake_client fake;
    fake.reply(503);
    const auto g = std::make_shared<noting_guard>(
        [](int n) { return n == 1 ? r2::admission::go() : r2::admission::refuse("budget is spent"); });
    const auto last = fake.get(url, {.guards = {g}}).finish();
    EXPECT_EQ(last.response()->status, 503);
    EXPECT_EQ(last.ended(), ended::refused);
    EXPECT_EQ(last.refusal(), "budget is spent");
    EXPECT_EQ(last.wait(), 0s);
}

TEST(guards, the_longest_wait_wins_whoever_asks_for_it) {
    fake_client fake;
    fake.reply(503).reply(503).reply(200);
    const auto brief = std::make_shared<noting_guard>([](int) { return r2::admission::wait(2s); });
    const auto slow = std::make_shared<noting_guard>([](int n) { return r2::admission::wait(n == 2 ? 9s : 1s); });
    std::vector<r2::wait_source> from;
    for (auto& a : fake.get(url, {.interval = 5s, .guards = {brief, slow}})) from.push_back(a.wait_from());
    EXPECT_EQ(fake.waits(), (std::vector<r2::duration>{2s, 9s, 5s}));
    EXPECT_EQ(from, (std::vector{r2::wait_source::guard, r2::wait_source::interval, r2::wait_source::none}));
}

TEST(guards, are_not_asked_where_another_rule_ends_the_range_first) {
    fake_client fake;
    fake.reply(503);
    const auto g = std::make_shared<noting_guard>();
    EXPECT_EQ(fake.get(url, {.max_attempts = 1, .guards = {g}}).finish().ended(), ended::exhausted);
    EXPECT_EQ(g->notes, (log{"admit 1", "record 1"}));
}

TEST(guards, a_wait_past_the_deadline_ends_at_once_and_cancels) {
    fake_client fake;
    fake.reply(503);
    const auto g = std::make_shared<noting_guard>([](int n) { return r2::admission::wait(n == 1 ? 0s : 1min); });
    EXPECT_EQ(fake.get(url, {.interval = 1s, .deadline = 30s, .guards = {g}}).finish().ended(), ended::deadline);
    EXPECT_EQ(g->notes, (log{"admit 1", "record 1", "admit 2", "cancel"}));
    EXPECT_EQ(fake.now(), 0s);
}

TEST(guards, a_first_wait_past_the_deadline_is_one_attempt_with_an_error) {
    fake_client fake;
    const auto g = std::make_shared<noting_guard>([](int) { return r2::admission::wait(1min); });
    const auto last = fake.get(url, {.deadline = 30s, .guards = {g}}).finish();
    EXPECT_EQ(last.error(), errc::timeout);
    EXPECT_EQ(last.ended(), ended::deadline);
    EXPECT_EQ(fake.now(), 0s);
    EXPECT_EQ(g->notes, (log{"admit 1", "cancel"}));
}

TEST(guards, a_stop_in_the_wait_cancels_what_was_admitted) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503);
    fake.at(1s, [&] { source.request_stop(); });
    const auto g = std::make_shared<noting_guard>();
    EXPECT_EQ(fake.get(url, {.interval = 5s, .stop = source.get_token(), .guards = {g}}).finish().ended(),
              ended::stopped);
    EXPECT_EQ(g->notes, (log{"admit 1", "record 1", "admit 2", "cancel"}));
}

TEST(guards, destroying_the_range_cancels_what_was_admitted) {
    fake_client fake;
    fake.reply(503);
    const auto g = std::make_shared<noting_guard>();
    for ([[maybe_unused]] auto& a : fake.get(url, {.guards = {g}})) break;
    EXPECT_EQ(g->notes, (log{"admit 1", "record 1", "admit 2", "cancel"}));
}

TEST(guards, a_callable_that_throws_loses_no_admission) {
    const auto mine = std::runtime_error("mine");
    fake_client fake;
    fake.reply(503);
    const auto before = std::make_shared<noting_guard>();
    const auto after = std::make_shared<noting_guard>();
    EXPECT_THROW(
        (void)fake.get(url, {.before_attempt = [&](r2::request&) { throw mine; }, .guards = {before}}).finish(),
        std::runtime_error);
    EXPECT_EQ(before->notes, (log{"admit 1", "cancel"}));
    EXPECT_THROW(
        (void)fake.get(url, {.after_attempt = [&](const r2::request&, r2::attempt&) { throw mine; }, .guards = {after}})
            .finish(),
        std::runtime_error);
    EXPECT_EQ(after->notes, (log{"admit 1", "record 1"}));
}

TEST(guards, an_answer_of_before_attempt_is_recorded_too) {
    fake_client fake;
    const auto g = std::make_shared<noting_guard>();
    const auto cached = [](r2::request&) { return r2::response{.status = 200}; };
    EXPECT_EQ(fake.get(url, {.before_attempt = cached, .guards = {g}}).finish().sends(), 0);
    EXPECT_EQ(g->notes, (log{"admit 1", "record 1"}));
}

TEST(guards, that_throw_keep_no_other_from_hearing) {
    class throwing_guard : public noting_guard {
        void record(const r2::attempt&, r2::time_point) override { throw std::runtime_error("record"); }
        void cancel(const r2::request&, r2::time_point) override { throw std::runtime_error("cancel"); }
    };
    fake_client fake;
    fake.reply(503);
    const auto bad = std::make_shared<throwing_guard>();
    const auto good = std::make_shared<noting_guard>();
    EXPECT_THROW((void)fake.get(url, {.guards = {bad, good}}).finish(), std::runtime_error);
    EXPECT_EQ(good->notes, (log{"admit 1", "record 1"}));
}

TEST(guards, that_throw_do_not_hide_what_after_attempt_threw_first) {
    class throwing_guard : public noting_guard {
        void record(const r2::attempt&, r2::time_point) override { throw std::runtime_error("record"); }
    };
    fake_client fake;
    fake.reply(503);
    const auto throws = [](const r2::request&, r2::attempt&) { throw std::domain_error("mine"); };
    const r2::options policy{.after_attempt = throws, .guards = {std::make_shared<throwing_guard>()}};
    EXPECT_THROW((void)fake.get(url, policy).finish(), std::domain_error);
}

TEST(guards, that_throw_while_a_range_is_destroyed_end_no_program) {
    class throwing_guard : public noting_guard {
        void cancel(const r2::request&, r2::time_point) override { throw std::runtime_error("cancel"); }
    };
    fake_client fake;
    fake.reply(503);
    const auto bad = std::make_shared<throwing_guard>();
    for ([[maybe_unused]] auto& a : fake.get(url, {.guards = {bad}})) break;
    EXPECT_EQ(bad->notes, (log{"admit 1", "record 1", "admit 2"}));
}

TEST(guards, see_what_after_attempt_made_of_the_response) {
    class status_guard : public noting_guard {
    public:
        void record(const r2::attempt& a, r2::time_point) override {
            notes.push_back(std::to_string(a.response()->status));
        }
    };
    fake_client fake;
    fake.reply(200);
    const auto g = std::make_shared<status_guard>();
    const auto judge = [](const r2::request&, r2::attempt& a) { a.response()->status = 404; };
    EXPECT_EQ(fake.get(url, {.after_attempt = judge, .guards = {g}}).finish().ended(), ended::not_retryable);
    EXPECT_EQ(g->notes, (log{"admit 1", "404"}));
}

}  // namespace
