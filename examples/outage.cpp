/// Simulates how much retries worsen an outage: very many clients, on virtual time, with several policies. Prints a
/// table, and draws the load over time. `outage --attempts 4 --budget 0.1` adds a policy of your own.
#include "outage.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <r2/r2.hpp>
#include <string>
#include <utility>
#include <vector>

#include "outage_plot.hpp"

using namespace std::chrono_literals;

namespace {

constexpr r2::duration patience = 5s;  // the same `timeout` for all, so that only the policies differ

r2::options of(int max_attempts, r2::backoff b, r2::jitter j = r2::jitter::none()) {
    return {.max_attempts = max_attempts, .timeout = patience, .backoff = std::move(b), .jitter = j};
}

r2::options with_budget(r2::options o) {
    o.guards = {r2::retry_budget::ratio(0.1)};
    return o;
}

r2::options aws() {
    r2::options o = r2::options::aws();
    o.timeout = patience;
    return o;
}

/// Policies of other projects: their defaults, or the example of the manual where there is no default.
std::vector<outage::policy> known_policies() {
    using r2::backoff, r2::jitter;
    return {
        {"no retries", [] { return of(1, backoff::none()); }},
        {"r2, its default", [] { return r2::options{.timeout = patience}; }},
        {"r2, 3 attempts", [] { return r2::options{.max_attempts = 3, .timeout = patience}; }},
        {"r2, 3 attempts, budget of 10 %", [] { return with_budget({.max_attempts = 3, .timeout = patience}); }},
        // The SDKs' reference guide, "Retry behavior", as of 2026.
        {"AWS SDK, standard mode", aws},
        {"every second, 5 attempts", [] { return of(5, backoff::constant(1s)); }},
        {"1, 2, 4, 8 s without jitter", [] { return of(5, backoff::exponential(1s)); }},
        // Its manual, --retry: from 1 s on doubled, up to 10 minutes.
        {"curl --retry 3", [] { return of(4, backoff::exponential(1s, 2.0, 10min)); }},
        // Its README and pester.go: 3 attempts, DefaultBackoff.
        {"pester", [] { return of(3, backoff::constant(1s)); }},
        // Its README, v4: 10 attempts, CombineDelay(BackOffDelay, RandomDelay), both of 100 ms.
        {"retry-go", [] { return of(10, backoff::exponential(100ms), jitter::additive(100ms)); }},
        // Its client.go: 4 retries, RetryWaitMin of 1 s, RetryWaitMax of 30 s.
        {"go-retryablehttp", [] { return of(5, backoff::exponential(1s, 2.0, 30s)); }},
        // Its reference, urllib3.util.Retry: total=10, backoff_factor=0; 503 isn't retried unless it is in
        // status_forcelist.
        {"urllib3 Retry(), 503 forced", [] { return of(11, backoff::none()); }},
    };
}

/// A policy that the command line describes.
struct own_policy {
    int attempts = 3;
    double timeout = 5, deadline = 0, interval = 0, base = 2, cap = 30, budget = 0;
    bool jitter = true;

    static r2::duration seconds(double s) { return r2::duration(static_cast<r2::duration::rep>(s * 1e9)); }

    r2::options make() const {
        r2::options o{.max_attempts = attempts,
                      .timeout = seconds(timeout),
                      .interval = seconds(interval),
                      .deadline = seconds(deadline),
                      .backoff = r2::backoff::exponential(seconds(base), 2.0, seconds(cap))};
        if (!jitter) o.jitter = r2::jitter::none();
        if (budget > 0) o.guards = {r2::retry_budget::ratio(budget)};
        return o;
    }
};

CLI::Option_group* describe(CLI::App& app, own_policy& own) {
    const CLI::Range range(0.0, 1e6);
    auto* group = app.add_option_group("own policy", "one more, made of these; all times in seconds");
    group->add_option("--attempts", own.attempts, "at most so many, 0: no limit");
    group->add_option("--timeout", own.timeout, "of an attempt")->check(range);
    group->add_option("--deadline", own.deadline, "of a call")->check(range);
    group->add_option("--interval", own.interval, "a fixed wait")->check(range);
    group->add_option("--base", own.base, "the first wait of backoff")->check(range);
    group->add_option("--cap", own.cap, "its longest")->check(range);
    group->add_flag("!--no-jitter", own.jitter, "waits exactly as long as backoff computes");
    group->add_option("--budget", own.budget, "retries a process, as a part of its calls")->check(range);
    return group;
}

void print(const std::string& name, const outage::figures& f) {
    const std::string recovery =
        f.recovery ? r2::to_string(std::chrono::round<std::chrono::seconds>(*f.recovery)) : "not in time";
    std::printf("%-38s %8.2f %8.2f %9.1f %%  %15s\n", name.c_str(), f.amplification, f.peak, f.given_up * 100,
                recovery.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    outage::scenario scene;
    own_policy own;
    std::string only, picture;
    double lasts = std::chrono::duration<double>(scene.lasts).count();

    CLI::App app("Simulates an outage of a server with very many clients, on virtual time, for several policies.");
    app.option_defaults()->always_capture_default();
    app.add_option("--clients", scene.clients, "how many")->check(CLI::Range(1, 1'000'000));
    app.add_option("--lasts", lasts, "the outage, in seconds")->check(CLI::Range(0.0, 600.0));
    app.add_option("--capacity", scene.capacity, "of the server, in usual loads")->check(CLI::Range(0.1, 100.0));
    app.add_option("--only", only, "just the policies with this in their name; \"own\" is yours");
    app.add_option("--svg", picture, "the file to draw the load into");
    const auto* own_options = describe(app, own);
    CLI11_PARSE(app, argc, argv);
    scene.lasts = own_policy::seconds(lasts);

    auto policies = known_policies();
    if (own_options->count_all() > 0 || only == "own") policies.push_back({"own", [&own] { return own.make(); }});

    std::cout << scene.clients << " clients call every " << r2::to_string(scene.period)
              << ", and the server responds with 503 for " << r2::to_string(scene.lasts) << ".\n\n"
              << "                                       load in\n"
              << "policy                                  outage     peak    given up  recovered after\n";
    std::vector<std::pair<outage::policy, outage::figures>> results;
    for (const auto& each : policies) {
        if (each.name.find(only) == std::string::npos) continue;
        results.emplace_back(each, outage::simulation(scene, each).run());
        print(each.name, results.back().second);
    }
    if (picture.empty()) return 0;
    std::ofstream file(picture);
    file << outage::plot(scene, results);
    if (file.flush()) return 0;
    std::cerr << "can't write " << picture << '\n';
    return 1;
}
