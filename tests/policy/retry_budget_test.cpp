#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <r2/testing/fake_client.hpp>
#include "r2/policy/retry_budget.hpp"

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::retry_budget;
using r2::retry_budget_options;
using r2::scope;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";
constexpr auto start = fake_client::beginning;

const r2::predicate retryable = r2::transient || r2::throttled;

/// A response, maybe with an error code of AWS.
r2::response response_of(int status, const char* error_code = "") {
    r2::response res{.status = status};
    if (*error_code) res.body = std::string("<Error><Code>") + error_code + "</Code></Error>";
    return res;
}

r2::attempt answered(int status) { return r2::attempt(response_of(status)); }

/// One request whose attempts are admitted and recorded as a range does. `status` 0 is a timeout.
struct told {
    retry_budget& budget;
    const r2::request q{.url = url};
    r2::time_point now = start;

    static r2::attempt outcome(int status) {
        return status ? answered(status) : r2::attempt(r2::error(errc::timeout, {}, r2::sent::maybe));
    }
    bool first(int status) {
        const bool admitted = !budget.admit(q, 1, now).refused();
        budget.record_of(q, outcome(status), now);
        return admitted;
    }
    bool admits_after(int before) { return !budget.admit_next(q, outcome(before), now).refused(); }
    bool retry(int before, int status) {
        if (!admits_after(before)) return false;
        budget.record_of(q, outcome(status), now);
        return true;
    }
};

// The vectors of the AWS SDK's tests that are about the quota.

struct step {
    int status = 0;
    ended becomes = ended::not_yet;
    double quota = 0;  // tokens after this attempt was decided
    const char* error_code = "";
};

struct quota_vector {
    const char* name;
    int max_attempts;
    double initial;
    std::array<step, 5> steps;
};

constexpr auto again = ended::not_yet;
constexpr auto done = ended::succeeded;
constexpr auto spent = ended::refused;
constexpr auto last = ended::exhausted;

constexpr quota_vector aws_vectors[] = {
    {"retry eventually succeeds", 3, 500, {{{500, again, 486}, {500, again, 472}, {200, done, 486}}}},
    {"fail due to max attempts reached", 3, 500, {{{502, again, 486}, {502, again, 472}, {502, last, 472}}}},
    {"retry quota reached after a single retry", 3, 14, {{{500, again, 0}, {500, spent, 0}}}},
    {"no retries at all if retry quota is 0", 3, 0, {{{500, spent, 0}}}},
    {"verifying exponential backoff timing",
     5,
     500,
     {{{500, again, 486}, {500, again, 472}, {500, again, 458}, {500, again, 444}, {500, last, 444}}}},
    {"verify max backoff time",
     5,
     500,
     {{{500, again, 486}, {500, again, 472}, {500, again, 458}, {500, again, 444}, {500, last, 444}}}},
    {"retry stops after retry quota exhaustion", 5, 20, {{{500, again, 6}, {502, spent, 6}}}},
    {"retry quota recovery after successful responses",
     5,
     30,
     {{{500, again, 16}, {502, again, 2}, {200, done, 16}, {500, again, 2}, {200, done, 16}}}},
    {"throttling error token bucket drain and backoff duration",
     3,
     500,
     {{{400, again, 495, "Throttling"}, {200, done, 500}}}},
    {"dynamodb base backoff and increased retries",
     4,
     500,
     {{{500, again, 486}, {500, again, 472}, {500, again, 458}, {500, last, 458}}}},
    {"long-polling backoff when token bucket empty", 3, 0, {{{500, spent, 0}}}},
    {"long-polling backoff after throttling error when token bucket empty", 3, 0, {{{400, spent, 0, "Throttling"}}}},
    {"long-polling max attempts exceeded must not delay", 2, 500, {{{500, again, 486}, {500, last, 486}}}},
    {"long-polling success must not delay", 2, 500, {{{500, again, 486}, {200, done, 500}}}},
    {"long-polling non-retriable errors must not delay", 2, 500, {{{404, ended::not_retryable, 500}}}},
    {"honor x-amz-retry-after header", 3, 500, {{{500, again, 486}, {200, done, 500}}}},
    {"x-amz-retry-after minimum is exponential backoff duration", 3, 500, {{{500, again, 486}, {200, done, 500}}}},
    {"x-amz-retry-after maximum is 5+exponential backoff duration", 3, 500, {{{500, again, 486}, {200, done, 500}}}},
    {"invalid x-amz-retry-after falls back to exponential backoff", 3, 500, {{{500, again, 486}, {200, done, 500}}}},
};

TEST(retry_budget, follows_the_19_vectors_of_aws_step_by_step) {
    static_assert(std::size(aws_vectors) == 19);
    for (const quota_vector& v : aws_vectors) {
        SCOPED_TRACE(v.name);
        fake_client fake;
        for (const step& s : v.steps)
            if (s.status) fake.reply(response_of(s.status, s.error_code));
        const auto budget = std::make_shared<retry_budget>(retry_budget_options{.initial = v.initial});
        const r2::options o{.max_attempts = v.max_attempts, .retry_if = retryable, .guards = {budget}};
        for (std::size_t i = 0; i < v.steps.size() && v.steps[i].status;) {
            for (const auto& a : fake.send({.url = url}, o)) {
                ASSERT_TRUE(a.response()) << a.error().message();
                EXPECT_EQ(a.response()->status, v.steps[i].status);
                EXPECT_EQ(a.ended(), v.steps[i].becomes) << "step " << i;
                EXPECT_DOUBLE_EQ(budget->tokens(url), v.steps[i].quota) << "step " << i;
                ++i;
            }
        }
        EXPECT_EQ(fake.requests().size(), static_cast<std::size_t>(std::count_if(
                                              v.steps.begin(), v.steps.end(), [](auto& s) { return s.status != 0; })));
    }
}

// aws and aws_legacy

TEST(retry_budget, a_retry_after_a_throttling_response_costs_5) {
    const auto budget = retry_budget::aws();
    EXPECT_TRUE(told{*budget}.admits_after(429));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 495);
}

TEST(retry_budget, a_retry_after_a_timeout_costs_14_as_any_transient_failure) {
    const auto budget = retry_budget::aws();
    EXPECT_TRUE(told{*budget}.admits_after(0));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 486);
}

TEST(retry_budget, the_costs_of_aws_legacy_are_5_and_10_after_a_timeout) {
    const auto budget = retry_budget::aws_legacy();
    told range{*budget};
    EXPECT_TRUE(range.retry(503, 503));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 495);
    EXPECT_TRUE(range.retry(429, 503));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 490);
    EXPECT_TRUE(range.retry(0, 0));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 480);
    EXPECT_TRUE(range.retry(0, 200));  // refunds its 10
    EXPECT_DOUBLE_EQ(budget->tokens(url), 480);
    EXPECT_TRUE(range.first(200));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 481);
}

TEST(retry_budget, never_holds_more_than_its_capacity_of_500) {
    const auto budget = retry_budget::aws();
    told range{*budget};
    for (int i = 0; i < 20; ++i) range.first(200);
    EXPECT_DOUBLE_EQ(budget->tokens(url), 500);
    EXPECT_TRUE(range.admits_after(503));
    for (int i = 0; i < 10; ++i) told{*budget}.first(200);
    budget->record_of(range.q, answered(200), start);  // 496 + 14
    EXPECT_DOUBLE_EQ(budget->tokens(url), 500);
}

TEST(retry_budget, is_never_asked_past_max_attempts_of_1) {
    fake_client fake;
    fake.reply(503);
    const auto budget = retry_budget::aws();
    EXPECT_EQ(fake.get(url, {.max_attempts = 1, .guards = {budget}}).finish().ended(), ended::exhausted);
    EXPECT_DOUBLE_EQ(budget->tokens(url), 500);
}

TEST(retry_budget, admits_35_retries_of_a_server_that_only_fails_and_every_first_attempt) {
    fake_client fake;
    const auto budget = retry_budget::aws();
    for (int i = 0; i < 220; ++i) fake.reply(503);
    std::size_t ranges = 0;
    for (; fake.requests().size() < 200; ++ranges)
        (void)fake.get(url, {.max_attempts = 3, .guards = {budget}}).finish();
    EXPECT_EQ(fake.requests().size() - ranges, 35U);  // 500 / 14
}

TEST(retry_budget, a_refusal_names_the_6_tokens_left) {
    fake_client fake;
    fake.reply(503).reply(503);
    const auto budget = std::make_shared<retry_budget>(retry_budget_options{.initial = 20});
    const auto end = fake.get(url, {.guards = {budget}}).finish();
    EXPECT_EQ(end.ended(), ended::refused);
    EXPECT_EQ(end.response()->status, 503);
    EXPECT_EQ(end.refusal(), "retry budget: 6 of 500 tokens left, a retry costs 14");
}

TEST(retry_budget, a_poll_costs_nothing) {
    fake_client fake;
    fake.reply(202).reply(202).reply(200);
    const auto budget = std::make_shared<retry_budget>(retry_budget_options{.initial = 0});
    const auto done_at_last = fake.get(url, {.terminate_if = r2::status_is(200), .guards = {budget}}).finish();
    EXPECT_EQ(done_at_last.ended(), ended::condition_met);
    EXPECT_DOUBLE_EQ(budget->tokens(url), 3);  // each success adds 1
}

TEST(retry_budget, a_poll_after_a_retry_gives_nothing_back_twice) {
    fake_client fake;
    fake.reply(503).reply(202).reply(200);
    const auto budget = std::make_shared<retry_budget>(retry_budget_options{.initial = 100});
    std::vector<double> left;
    for ([[maybe_unused]] auto& a : fake.get(url, {.terminate_if = r2::status_is(200), .guards = {budget}}))
        left.push_back(budget->tokens(url));
    EXPECT_EQ(left, (std::vector<double>{86, 100, 101}));
}

TEST(retry_budget, a_failure_that_is_not_retried_changes_nothing) {
    fake_client fake;
    fake.reply(404);
    const auto budget = std::make_shared<retry_budget>(retry_budget_options{.initial = 100});
    (void)fake.get(url, {.guards = {budget}}).finish();
    EXPECT_DOUBLE_EQ(budget->tokens(url), 100);
}

TEST(retry_budget, gets_14_back_for_a_retry_that_is_never_sent) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503);
    fake.at(1s, [&] { source.request_stop(); });
    const auto budget = retry_budget::aws();
    double waiting = 0;
    for (auto& a : fake.get(url, {.interval = 5s, .stop = source.get_token(), .guards = {budget}})) {
        EXPECT_EQ(a.ended(), ended::not_yet);
        waiting = budget->tokens(url);
    }
    EXPECT_DOUBLE_EQ(waiting, 486);
    EXPECT_DOUBLE_EQ(budget->tokens(url), 500);
}

TEST(retry_budget, gets_14_back_where_a_later_guard_refuses) {
    class wall : public r2::guard {
        r2::admission admit(const r2::request&, int number, r2::time_point) override {
            return number == 1 ? r2::admission::go() : r2::admission::refuse("wall");
        }
    };
    fake_client fake;
    fake.reply(503);
    const auto budget = retry_budget::aws();
    EXPECT_EQ(fake.get(url, {.guards = {budget, std::make_shared<wall>()}}).finish().refusal(), "wall");
    EXPECT_DOUBLE_EQ(budget->tokens(url), 500);
}

TEST(retry_budget, listed_twice_takes_and_gives_back_twice) {
    fake_client fake;
    fake.reply(503).reply(200);
    const auto budget = retry_budget::aws();
    std::vector<double> left;
    for ([[maybe_unused]] auto& a : fake.get(url, {.guards = {budget, budget}})) left.push_back(budget->tokens(url));
    EXPECT_EQ(left, (std::vector<double>{472, 500}));
}

// grpc

TEST(retry_budget, grpc_retries_no_more_from_5_of_10_tokens_down) {
    const auto budget = retry_budget::grpc();
    told range{*budget};
    EXPECT_TRUE(range.first(503));
    for (int left = 8; left >= 5; --left) {
        EXPECT_TRUE(range.retry(503, 503)) << left;
        EXPECT_DOUBLE_EQ(budget->tokens(url), left);
    }
    EXPECT_FALSE(range.admits_after(503));
    EXPECT_EQ(budget->admit_next(range.q, answered(503), start).reason(),
              "retry budget: 5 of 10 tokens left, a retry needs more than 5");
}

TEST(retry_budget, grpc_sinks_to_0_and_no_lower_and_needs_51_successes_to_retry_again) {
    const auto budget = retry_budget::grpc();
    told range{*budget};
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(range.first(503));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 0);
    EXPECT_EQ(budget->admit_next(range.q, answered(503), start).reason(),
              "retry budget: 0 of 10 tokens left, a retry needs more than 5");
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(range.first(200));
    EXPECT_EQ(budget->tokens(url), 5);  // exactly
    EXPECT_FALSE(range.admits_after(503));
    EXPECT_TRUE(range.first(200));
    EXPECT_TRUE(range.retry(503, 200));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 5.2);
}

TEST(retry_budget, grpc_takes_1_token_for_each_throttling_response_and_none_for_the_retry) {
    const auto budget = retry_budget::grpc();
    told range{*budget};
    budget->record_of(range.q, r2::attempt(response_of(400, "Throttling")), start);
    EXPECT_DOUBLE_EQ(budget->tokens(url), 9);
    EXPECT_TRUE(range.admits_after(429));
    EXPECT_DOUBLE_EQ(budget->tokens(url), 9);
}

TEST(retry_budget, grpc_counts_neither_a_404_nor_a_stop) {
    const auto budget = retry_budget::grpc();
    told range{*budget};
    EXPECT_TRUE(range.first(404));
    budget->record_of(range.q, r2::attempt(r2::error(errc::stopped)), start);
    EXPECT_DOUBLE_EQ(budget->tokens(url), 10);
}

// ratio

/// Returns how many retries the budget admits at `now`.
int retries(retry_budget& budget, r2::time_point now, int at_most = 10'000) {
    int n = 0;
    while (n < at_most && told{budget, {.url = url}, now}.retry(503, 503)) ++n;
    return n;
}

void requests(retry_budget& budget, r2::time_point now, int count) {
    for (int i = 0; i < count; ++i) told{budget, {.url = url}, now}.first(503);
}

TEST(retry_budget, ratio_admits_a_tenth_of_the_requests_and_100_in_any_10_s) {
    const auto budget = retry_budget::ratio(0.1);
    EXPECT_EQ(retries(*budget, start), 100);
    requests(*budget, start + 1s, 995);
    EXPECT_EQ(retries(*budget, start + 2s), 99);
    EXPECT_EQ(budget->admit_next({.url = url}, answered(503), start + 9s).reason(),
              "retry budget: 0.5 tokens left, a retry costs 1");
    EXPECT_EQ(retries(*budget, start + 9s), 0);
}

TEST(retry_budget, ratio_forgets_requests_and_retries_after_10_s) {
    const auto budget = retry_budget::ratio(0.1);
    requests(*budget, start, 1000);
    EXPECT_EQ(budget->tokens(url, start), 200);
    EXPECT_EQ(retries(*budget, start + 8s, 150), 150);
    EXPECT_EQ(budget->tokens(url, start + 9s), 50);
    EXPECT_EQ(budget->tokens(url, start + 10s), 0);  // 150 retries were made, 100 are allowed
    EXPECT_EQ(retries(*budget, start + 10s), 0);
    EXPECT_EQ(budget->admit_next({.url = url}, answered(503), start + 10s).reason(),
              "retry budget: 0 tokens left, a retry costs 1");
    requests(*budget, start + 10s, 600);
    EXPECT_EQ(retries(*budget, start + 11s), 10);
    EXPECT_EQ(budget->tokens(url, start + 18s), 150);
    EXPECT_EQ(budget->tokens(url, start + 1h), 100);
}

TEST(retry_budget, ratio_forgets_each_second_as_a_whole) {
    const auto budget = retry_budget::ratio(0);
    EXPECT_EQ(retries(*budget, start + 950ms, 1), 1);
    EXPECT_EQ(retries(*budget, start + 1050ms, 1), 1);
    EXPECT_EQ(budget->tokens(url, start + 9950ms), 98);
    EXPECT_EQ(budget->tokens(url, start + 10s), 99);
    EXPECT_EQ(budget->tokens(url, start + 10'950ms), 99);
    EXPECT_EQ(budget->tokens(url, start + 11s), 100);
}

TEST(retry_budget, ratio_has_a_floor_of_10_retries_a_second) {
    const auto budget = retry_budget::ratio(0);
    int admitted = 0;
    for (auto t = 0s; t < 100s; ++t) admitted += retries(*budget, start + t, 10);
    EXPECT_EQ(admitted, 1000);
    for (auto t = 100s; t < 200s; ++t) admitted += retries(*budget, start + t);
    EXPECT_EQ(admitted, 2000);
}

TEST(retry_budget, ratio_gives_back_what_was_never_sent_unless_10_s_have_passed) {
    const auto budget = retry_budget::ratio(0.1);
    told soon{*budget}, late{*budget};
    EXPECT_TRUE(soon.admits_after(503));
    EXPECT_TRUE(late.admits_after(503));
    EXPECT_EQ(budget->tokens(url, start), 98);
    budget->cancel(soon.q, start + 5s);
    EXPECT_EQ(budget->tokens(url, start + 5s), 99);
    EXPECT_EQ(budget->tokens(url, start + 10s), 100);
    budget->cancel(late.q, start + 10s);
    EXPECT_EQ(budget->tokens(url, start + 10s), 100);
}

TEST(retry_budget, ratio_gives_nothing_back_for_success) {
    const auto budget = retry_budget::ratio(0.5);
    told range{*budget};
    EXPECT_TRUE(range.first(200));
    EXPECT_TRUE(range.retry(503, 200));
    EXPECT_EQ(budget->tokens(url, start), 99.5);
}

// scope

TEST(retry_budget, each_origin_has_its_own_500_tokens) {
    fake_client fake;
    fake.reply(503).reply(503);
    const auto budget = retry_budget::aws();
    (void)fake.get("http://job.test/1", {.max_attempts = 2, .guards = {budget}}).finish();
    EXPECT_EQ(budget->tokens("http://JOB.test:80/2?x"), 486);
    EXPECT_EQ(budget->tokens("http://job.test:81/"), 500);
    EXPECT_EQ(budget->tokens("https://job.test/"), 500);
}

TEST(retry_budget, a_global_one_has_500_for_all) {
    fake_client fake;
    for (int i = 0; i < 4; ++i) fake.reply(503);
    const auto budget = retry_budget::aws(scope::global);
    (void)fake.get("http://a.test/", {.max_attempts = 2, .guards = {budget}}).finish();
    (void)fake.get("http://b.test/", {.max_attempts = 2, .guards = {budget}}).finish();
    EXPECT_EQ(budget->tokens(), 472);
}

// options

TEST(retry_budget, options_as_they_stand_are_those_of_aws) {
    const retry_budget_options o{.capacity = 30, .retry_cost = 3};
    EXPECT_EQ(o.initial, 30);
    EXPECT_EQ(o.timeout_cost, 3);
    EXPECT_EQ(retry_budget_options{}.initial, 500);
    retry_budget small({.capacity = 10, .initial = 20});
    EXPECT_EQ(small.tokens(url), 10);
}

TEST(retry_budget, of_0_tokens_admits_a_retry_that_costs_0_unless_told_to_stop_there) {
    retry_budget never({.capacity = 10, .initial = 0, .retry_cost = 0});
    EXPECT_TRUE(told{never}.admits_after(503));
    retry_budget at_1({.capacity = 10, .initial = 1, .retry_cost = 0, .stop_at = 1});
    EXPECT_FALSE(told{at_1}.admits_after(503));
}

TEST(retry_budget, with_a_window_of_1_ns_forgets_after_10) {
    retry_budget budget({.window = 1ns});
    EXPECT_TRUE(told{budget}.retry(503, 503));
    EXPECT_EQ(budget.tokens(url, start + 9ns), 486);
    EXPECT_EQ(budget.tokens(url, start + 10ns), 500);
}

TEST(retry_budget, adds_nothing_to_what_forgotten_retries_leave_over_its_10) {
    retry_budget budget({.capacity = 10, .retry_cost = 0.5, .refund = false, .success_credit = 0.5, .window = 10s});
    EXPECT_TRUE((told{budget, {.url = url}, start}.retry(503, 503)));
    EXPECT_TRUE((told{budget, {.url = url}, start + 5s}.first(200)));
    EXPECT_TRUE((told{budget, {.url = url}, start + 10s}.first(503)));  // the retry is forgotten
    EXPECT_TRUE((told{budget, {.url = url}, start + 10s}.first(200)));
    EXPECT_EQ(budget.tokens(url, start + 10s), 10);
    EXPECT_EQ(budget.tokens(url, start + 15s), 10);  // and so is what paid for it
    EXPECT_TRUE((told{budget, {.url = url}, start + 15s}.retry(503, 503)));
    EXPECT_EQ(budget.tokens(url, start + 15s), 9.5);
}

TEST(retry_budget, asked_without_the_attempt_before_takes_14_for_each_after_the_1st) {
    retry_budget budget({});
    const r2::request q{.url = url};
    EXPECT_FALSE(budget.admit(q, 1, start).refused());
    EXPECT_EQ(budget.tokens(url), 500);
    EXPECT_FALSE(budget.admit(q, 2, start).refused());
    EXPECT_EQ(budget.tokens(url), 486);
}

TEST(retry_budget, takes_399_for_a_success_and_400_for_a_failure) {
    retry_budget budget({});
    EXPECT_TRUE(told{budget}.admits_after(399));
    EXPECT_EQ(budget.tokens(url), 500);
    EXPECT_TRUE(told{budget}.admits_after(400));
    EXPECT_EQ(budget.tokens(url), 486);
}

// threads

TEST(retry_budget, loses_no_token_to_8_threads) {
    for (const auto& budget :
         {std::make_shared<retry_budget>(retry_budget_options{.initial = 60, .success_credit = 0}),
          std::make_shared<retry_budget>(retry_budget_options{.initial = 60, .success_credit = 0, .window = 1h})}) {
        std::atomic<int> held = 0, admitted = 0, refused = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                const r2::request q{.url = url};
                const r2::attempt bad = answered(503), throttling = answered(429), good = answered(200);
                for (int i = 0; i < 2000; ++i) {
                    EXPECT_FALSE(budget->admit(q, 1, start).refused());
                    budget->record_of(q, i % 3 ? bad : good, start);
                    const int cost = (i + t) % 2 ? 14 : 5;
                    if (budget->admit_next(q, cost == 14 ? bad : throttling, start).refused()) {
                        ++refused;
                        continue;
                    }
                    ++admitted;
                    EXPECT_LE(held += cost, 60);
                    const double left = budget->tokens(url, start);
                    EXPECT_TRUE(left >= 0 && left <= 60) << left;
                    held -= cost;
                    i % 5 ? budget->record_of(q, good, start) : budget->cancel(q, start);
                }
            });
        for (auto& each : threads) each.join();
        EXPECT_EQ(admitted + refused, 16'000);
        EXPECT_EQ(budget->tokens(url, start), 60);
    }
}

TEST(retry_budget, a_failure_cost_below_0_is_not_set) {
    auto budget =
        std::make_shared<r2::retry_budget>(r2::retry_budget_options{.capacity = 10, .initial = 5, .failure_cost = -1});
    fake_client fake;
    fake.reply(503);
    fake.get("http://host.test/", {.max_attempts = 1, .guards = {budget}}).finish();
    EXPECT_EQ(budget->tokens("http://host.test/", start), 5);
}

}  // namespace
