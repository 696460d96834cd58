#include "scenarios/outage.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <r2/policy/adaptive_limiter.hpp>
#include <r2/policy/aws.hpp>
#include <r2/policy/circuit_breaker.hpp>
#include <r2/policy/rate_limiter.hpp>
#include <r2/policy/retry_budget.hpp>

namespace {

using namespace std::chrono_literals;
using r2::testkit::outage;

using guards = std::vector<std::shared_ptr<r2::guard>>;

/// The waits of options::aws(), and no call for longer than 5 s, as somebody waits for it.
r2::options attempts(int max, guards g = {}) {
    r2::options o{.max_attempts = max, .deadline = 5s};
    o.backoff = r2::backoff::exponential(50ms, 2.0, 20s);
    o.guards = std::move(g);
    return o;
}

r2::options aws_and(std::shared_ptr<r2::guard> other) {
    r2::options o = r2::options::aws();
    o.deadline = 5s;
    o.guards.push_back(std::move(other));
    return o;
}

/// 8 s, so that the minute is over in the middle of an open phase: the average case.
std::shared_ptr<r2::guard> breaker() {
    return std::make_shared<r2::circuit_breaker>(r2::circuit_breaker_options{.open_for = 8s});
}

/// At 1.2 times the usual load.
std::shared_ptr<r2::guard> limiter() {
    return std::make_shared<r2::rate_limiter>(r2::rate_limiter_options{.permits = 120});
}

std::shared_ptr<r2::guard> adaptive() { return std::make_shared<r2::adaptive_limiter>(); }

struct policy {
    const char* name;
    int status;             // of the server in the outage
    r2::options (*make)();  // with guards that are as new
    double least_load;      // more than without retries in the outage, in %
    double most_load;       // the same
    r2::duration recovery;  // at most
    int held_back;          // at most
};

constexpr policy policies[] = {
    {"no retries", 503, [] { return attempts(1); }, 0, 0, 0s, 0},
    {"`max_attempts = 3`", 503, [] { return attempts(3); }, 190, 210, 0s, 0},
    {"… + `retry_budget::aws()`", 503, [] { return attempts(3, {r2::retry_budget::aws()}); }, 0, 5, 0s, 5},
    {"… + `retry_budget::ratio(0.1)`", 503, [] { return attempts(3, {r2::retry_budget::ratio(0.1)}); }, 10, 25, 0s, 5},
    {"… + `retry_budget::grpc()`", 503, [] { return attempts(3, {r2::retry_budget::grpc()}); }, 0, 5, 0s, 5},
    {"… + `circuit_breaker`, 8 s", 503, [] { return attempts(3, {breaker()}); }, -100, -95, 9s, 900},
    {"… + `rate_limiter`, 120 a second", 503, [] { return attempts(3, {limiter()}); }, 10, 25, 0s, 0},
    // Heeds throttling answers only, and so does nothing about this outage.
    {"… + `adaptive_limiter`", 503, [] { return attempts(3, {adaptive()}); }, 190, 210, 0s, 0},
    {"`options::aws()` + `adaptive_limiter`", 503, [] { return aws_and(adaptive()); }, 0, 5, 0s, 5},

    {"`max_attempts = 3`", 429, [] { return attempts(3); }, 190, 210, 0s, 0},
    {"… + `retry_budget::aws()`", 429, [] { return attempts(3, {r2::retry_budget::aws()}); }, 0, 5, 0s, 5},
    {"… + `adaptive_limiter`", 429, [] { return attempts(3, {adaptive()}); }, -100, -95, 18s, 1500},
    {"`options::aws()` + `adaptive_limiter`", 429, [] { return aws_and(adaptive()); }, -100, -95, 18s, 1500},
};

/// Each is played once, as it takes a while.
const outage::figures& figures_of(const policy& p) {
    static std::map<const policy*, outage::figures> played;
    const auto [at, is_new] = played.try_emplace(&p);
    if (is_new) at->second = outage::play(p.make(), p.status);
    return at->second;
}

/// In % of what the server sees without retries, beyond that.
double added_load(const policy& p) {
    return 100.0 * figures_of(p).requests_in_outage / figures_of(policies[0]).requests_in_outage - 100;
}

double seconds(r2::duration d) { return std::chrono::duration<double>(d).count(); }

/// For the README: a table for each answer of the server.
void print() {
    int status = 0;
    for (const policy& p : policies) {
        if (std::exchange(status, p.status) != p.status)
            std::printf(
                "\n| 60 s of %d | requests in it | load | requests in all | calls given up in it | outside it |"
                " of these by a guard | recovery |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
                status);
        const outage::figures& f = figures_of(p);
        std::printf("| %s | %d | %+.0f %% | %d | %d | %d | %d | %.1f s |\n", p.name, f.requests_in_outage,
                    added_load(p), f.requests, f.given_up_in_outage, f.given_up_else, f.held_back_else,
                    seconds(f.recovery));
    }
}

TEST(outage, of_60_s_for_100_clients_costs_with_each_guard_the_load_and_recovery_it_promises) {
    for (const policy& p : policies) {
        SCOPED_TRACE(std::string(p.name) + ", " + std::to_string(p.status));
        EXPECT_GE(added_load(p), p.least_load);
        EXPECT_LE(added_load(p), p.most_load);
        EXPECT_LE(seconds(figures_of(p).recovery), seconds(p.recovery));
        EXPECT_LE(figures_of(p).held_back_else, p.held_back);
    }
    if (std::getenv("R2_PRINT")) print();
}

TEST(outage, adds_200_percent_with_bare_retries_and_at_most_30_with_the_budget_of_aws) {
    EXPECT_NEAR(added_load(policies[1]), 200, 10);
    EXPECT_LE(added_load(policies[2]), 30);
}

TEST(outage, leaves_1_call_in_100_without_retries_outside_it_and_nearly_none_with_any_budget) {
    EXPECT_GE(figures_of(policies[0]).given_up_else, 20);
    for (int i = 1; i <= 4; ++i) EXPECT_LE(figures_of(policies[i]).given_up_else, 5) << policies[i].name;
}

TEST(outage, takes_the_same_course_2_times) {
    for (const policy* p : {&policies[5], std::end(policies) - 1})
        EXPECT_TRUE(outage::play(p->make(), p->status) == figures_of(*p)) << p->name;
}

}  // namespace
