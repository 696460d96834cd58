/// Measures the cost of three guards for each attempt: the median over pairs of runs, with and without guards. A hook
/// responds, so that nothing is sent. Fails above 300 ns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "r2/r2.hpp"

namespace {

constexpr int attempts = 100'000;

double nanoseconds_an_attempt(const r2::options& o) {
    const auto began = std::chrono::steady_clock::now();
    const r2::attempt last = r2::get("https://api.example.com/jobs/42?verbose=1", o).finish();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    if (last.number() != attempts) std::printf("only %d attempts: %s\n", last.number(), last.refusal().c_str());
    return took.count() / attempts;
}

}  // namespace

int main() {
    const r2::options bare{
        .max_attempts = attempts,
        .terminate_if = r2::status_is(201),
        .backoff = r2::backoff::none(),
        .before_attempt = [](r2::request&) { return r2::response{.status = 200}; },
    };
    r2::options guarded = bare;
    guarded.guards = {r2::retry_budget::aws(), std::make_shared<r2::circuit_breaker>(),
                      std::make_shared<r2::rate_limiter>(r2::rate_limiter_options{.permits = 1e9})};

    std::vector<double> differences, all;
    for (int run = 0; run < 21; ++run) {
        const double without = nanoseconds_an_attempt(bare);
        differences.push_back(nanoseconds_an_attempt(guarded) - without);
        all.push_back(without);
    }
    std::sort(differences.begin(), differences.end());
    std::sort(all.begin(), all.end());
    const double more = differences[differences.size() / 2];
    std::printf("an attempt that isn't sent: %.0f ns; with three guards %.0f ns more (at most 300)\n",
                all[all.size() / 2], more);
    return more <= 300 ? 0 : 1;
}
