#include "examples/outage.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "examples/outage_plot.hpp"
#include "scenarios/outage.hpp"

#include <r2/testing.hpp>

namespace {

using namespace std::chrono_literals;
using outage::figures;
using outage::policy;
using outage::scenario;

figures play(const scenario& s, const r2::options& o) {
    return outage::simulation(s, {"", [&] { return o; }}).run();
}

/// As the simulation's only client sees it: 503 within 10 ms, or 200 within 50 ms.
std::vector<double> real_loads(const scenario& s, r2::options o) {
    std::vector<double> load(static_cast<std::size_t>(s.ends() / figures::bin));
    const double one = 1 / (s.usual_load() * std::chrono::duration<double>(figures::bin).count());
    std::mt19937_64 chances;  // drawn in the same order
    const auto chance = [&] { return std::uniform_real_distribution<>()(chances); };
    const auto period = r2::duration(static_cast<r2::duration::rep>(s.period.count() * (0.9 + 0.2 * chance())));
    const auto first = r2::duration(static_cast<r2::duration::rep>(period.count() * chance()));
    r2::testing::fake_client fake;
    o.before_attempt = [&](r2::request&) {
        const bool broken = fake.now() >= s.breaks && fake.now() < s.heals();
        fake.reply_after(broken ? 10ms : 50ms, broken ? 503 : 200);
        load[static_cast<std::size_t>(fake.now() / figures::bin)] += one;
    };
    for (r2::duration next = first / 1ms * 1ms; next < s.ends(); next += period / 1ms * 1ms) {
        if (fake.now() < next) fake.advance(next - fake.now());
        next = fake.now();
        fake.get("http://server.test/", o).finish();
    }
    return load;
}

TEST(outage, one_simulated_client_sends_when_a_real_loop_does) {
    const scenario s{.clients = 1, .period = 4s, .breaks = 10s, .lasts = 15s, .after = 35s, .capacity = 1000};
    const std::vector<r2::options> policies = {
        {.max_attempts = 1},
        {.max_attempts = 5, .backoff = r2::backoff::exponential(1s), .jitter = r2::jitter::none()},
        {.interval = 2s},
        {.interval = 300ms, .deadline = 2s},
        {.max_attempts = 9, .backoff = r2::backoff::linear(500ms), .jitter = r2::jitter::none()},
    };
    for (std::size_t i = 0; i < policies.size(); ++i)
        EXPECT_EQ(play(s, policies[i]).load, real_loads(s, policies[i])) << "policy " << i;
}

TEST(outage, agrees_with_100_real_loops_on_what_retries_and_guards_add) {
    const scenario s{.clients = 100,
                     .clients_per_process = 100,
                     .period = 1s,
                     .breaks = 10s,
                     .lasts = 60s,
                     .after = 20s,
                     .capacity = 100};
    const auto guarded_by = [](std::shared_ptr<r2::guard> g) {
        r2::options o{.max_attempts = 3, .deadline = 5s, .backoff = r2::backoff::exponential(50ms, 2.0, 20s)};
        if (g) o.guards.push_back(std::move(g));
        return o;
    };
    const std::vector<std::pair<const char*, std::function<std::shared_ptr<r2::guard>()>>> guards = {
        {"none", [] { return nullptr; }},
        {"retry_budget::aws", [] { return r2::retry_budget::aws(); }},
        {"retry_budget::ratio", [] { return r2::retry_budget::ratio(0.1); }},
        {"circuit_breaker",
         [] { return std::make_shared<r2::circuit_breaker>(r2::circuit_breaker_options{.open_for = 8s}); }},
    };
    const double usual = r2::testkit::outage::play({.max_attempts = 1}, 503).requests_in_outage;
    for (const auto& [name, make] : guards) {
        const double real = r2::testkit::outage::play(guarded_by(make()), 503).requests_in_outage / usual;
        EXPECT_NEAR(play(s, guarded_by(make())).amplification, real, 0.02 + 0.02 * real) << name;
    }
}

TEST(outage, an_overrun_server_refuses_what_waits_for_over_2s_and_clients_may_give_up_first) {
    const scenario half{.clients = 1000, .breaks = 100s, .lasts = 0s, .after = 100s, .capacity = 0.5};
    const figures refused = play(half, {.max_attempts = 1});
    EXPECT_NEAR(refused.given_up, 0.55, 0.02) << "x is served, and x + (1 - x) / 10 = 0.5";
    EXPECT_FALSE(refused.recovery) << "no outage keeps it down";
    const figures impatient = play(half, {.max_attempts = 1, .timeout = 1s});
    EXPECT_GT(impatient.given_up, 0.95) << "it works for those that are gone";
}

TEST(outage, nothing_is_given_up_and_all_recover_within_30s_with_the_default) {
    const figures f = play({.clients = 10'000}, {});
    EXPECT_EQ(f.given_up, 0);
    ASSERT_TRUE(f.recovery);
    EXPECT_LE(*f.recovery, 31s);
    EXPECT_GT(f.amplification, 1.5);
    EXPECT_EQ(f.load.size(), 400U);
}

TEST(outage, draws_a_panel_for_each_of_3_policies) {
    const scenario s{.clients = 10};
    std::vector<std::pair<policy, figures>> results;
    for (const char* name : {"one", "<two> & two", "three"})
        results.emplace_back(policy{name, [] { return r2::options{}; }}, play(s, {}));
    std::ostringstream svg;
    svg << outage::plot(s, results);
    const std::string text = svg.str();
    EXPECT_NE(text.find("&lt;two> &amp; two"), std::string::npos);
    std::size_t panels = 0;
    for (std::size_t at = text.find("<g "); at != std::string::npos; at = text.find("<g ", at + 1)) ++panels;
    EXPECT_EQ(panels, 3U);
    EXPECT_TRUE(text.ends_with("</svg>\n"));
}

}  // namespace
