/// Measures hedging of 400 requests, four at a time. The server takes 300 ms for some of them, 5 % or 60 %, and 5 ms
/// for the rest. Fails unless
/// - the 99th percentile of 5 % slow requests is halved for at most 12 % more load,
/// - a budget keeps the load within 15 % more where 60 % are slow,
/// - draining the losers saves a quarter of the connections.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "r2/r2.hpp"
#include "r2/testing/server.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int requests = 400;

struct figures {
    double median, p99;  // in ms
    double more;         // requests that the server got, above one for each
    std::size_t connections;
    std::size_t failed;
};

figures play(const char* name, double slow_share, const r2::hedge_policy& hedge,
             std::shared_ptr<r2::guard> budget = {}) {
    using namespace r2::testing;
    std::mutex mutex;
    r2::detail::splitmix64 luck{42};
    server s;
    s.keep_requests(false);
    s.handle([&](const recorded_request&) {
        const std::lock_guard lock(mutex);
        return late(luck.unit() < slow_share ? 300ms : 5ms, reply(200, "a response"));
    });

    const r2::client client;
    std::vector<double> took;
    figures f{};
    const std::vector<std::string> urls(requests, s.url());
    for (auto& a : client.all(urls, {.max_attempts = 1, .timeout = 10s, .guards = {budget}, .hedge = hedge},
                              {.max_in_flight = 4})) {
        took.push_back(std::chrono::duration<double, std::milli>(a.elapsed()).count());
        f.failed += !a.response();
    }
    std::sort(took.begin(), took.end());
    f.median = took[took.size() / 2];
    f.p99 = took[took.size() * 99 / 100];
    f.more = static_cast<double>(s.request_count()) / requests - 1;
    f.connections = s.connections();
    std::printf("%-34s  %6.0f  %5.0f  %8.1f %%  %11zu\n", name, f.median, f.p99, f.more * 100, f.connections);
    return f;
}

}  // namespace

int main() {
    const r2::hedge_policy after_50ms{.copies = 1, .after = 50ms};
    const r2::hedge_policy by_percentile{.copies = 1, .after = r2::percentile(0.9, 50ms)};
    const r2::hedge_policy drains_all{.copies = 1, .after = 50ms, .drain = 300ms};
    // Allows copies of a tenth of all requests, and ten more.
    const auto budget = [] {
        return std::make_shared<r2::retry_budget>(r2::retry_budget_options{
            .capacity = 100, .retry_cost = 10, .throttled_cost = 10, .refund = false, .success_credit = 1});
    };

    std::printf("%-34s  %6s  %5s  %10s  %11s\n", "", "median", "p99", "more load", "connections");
    const figures none = play("5 % slow", 0.05, {});
    const figures fixed = play("5 % slow, after 50 ms", 0.05, after_50ms);
    const figures learnt = play("5 % slow, after the 90th percentile", 0.05, by_percentile);
    const figures drained = play("5 % slow, after 50 ms, drain 300 ms", 0.05, drains_all);
    const figures budgeted = play("5 % slow, after 50 ms, budget", 0.05, after_50ms, budget());
    const figures brown = play("60 % slow", 0.6, {});
    const figures free = play("60 % slow, after 50 ms", 0.6, after_50ms);
    const figures held = play("60 % slow, after 50 ms, budget", 0.6, after_50ms, budget());

    bool good = true;
    for (const figures* each : {&none, &fixed, &learnt, &drained, &budgeted, &brown, &free, &held})
        good &= each->failed == 0;
    for (const figures* each : {&fixed, &learnt, &drained, &budgeted})
        good &= each->p99 < none.p99 / 2 && each->more <= 0.12;
    good &= drained.connections < fixed.connections * 3 / 4;
    good &= held.more <= 0.15 && held.p99 < brown.p99 * 1.5;
    std::puts(good ? "all limits hold" : "a limit is EXCEEDED");
    return good ? 0 : 1;
}
