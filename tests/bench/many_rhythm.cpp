/// Measures how late the attempts of many jobs are, each polled once a second. An attempt is due at the decision before
/// it, plus its wait. A guard spreads the first attempts over five seconds, as making connections takes time.
/// usage: many_rhythm PORT JOBS ROUNDS [--check]
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include <r2/r2.hpp>

namespace {

using namespace std::chrono_literals;

constexpr r2::duration most_late = 20ms;

/// Starts the jobs one after the other, at equal distances.
class one_by_one final : public r2::guard {
public:
    explicit one_by_one(r2::duration step) : step_(step) {}

    r2::admission admit(const r2::request&, int number, r2::time_point) override {
        return number == 1 ? r2::admission::wait(step_ * begun_++) : r2::admission::go();
    }
    void record(const r2::attempt&, r2::time_point) override {}
    void cancel(const r2::request&, r2::time_point) override {}

private:
    const r2::duration step_;
    int begun_ = 0;
};

double milliseconds(r2::duration d) { return static_cast<double>(d.count()) / 1e6; }

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: many_rhythm PORT JOBS ROUNDS [--check]\n";
        return 2;
    }
    const std::string base = std::string("http://127.0.0.1:") + argv[1] + "/jobs/";
    const int jobs = std::atoi(argv[2]), rounds = std::atoi(argv[3]);
    auto urls = std::views::iota(0, jobs) | std::views::transform([&](int i) { return base + std::to_string(i); });
    std::vector<r2::time_point> due(static_cast<std::size_t>(jobs));
    std::vector<r2::duration> late;
    late.reserve(due.size() * static_cast<std::size_t>(rounds));
    const r2::options policy{
        .max_attempts = rounds + 1,
        .timeout = 5s,
        .interval = 1s,
        .terminate_if = [](const r2::response&) { return false; },
        .guards = {std::make_shared<one_by_one>(r2::duration(5s) / jobs)},
    };
    int failed = 0;
    for (auto& a : r2::all(urls, policy, {.max_in_flight = jobs, .max_per_host = 0})) {
        // The attempt was decided just now, so it began `elapsed()` ago.
        const auto now = std::chrono::steady_clock::now();
        if (a.number() > 1) late.push_back(now - a.elapsed() - due[a.job()]);
        due[a.job()] = now + a.wait();
        failed += !a.response();
    }
    if (late.empty()) return 2;
    const auto at = [&](double part) {
        return late[static_cast<std::size_t>(part * static_cast<double>(late.size() - 1))];
    };
    std::sort(late.begin(), late.end());
    std::cout << late.size() << " attempts, " << failed << " failed; late by " << milliseconds(at(0.5))
              << " ms at the median, " << milliseconds(at(0.99)) << " ms at the 99th percentile (at most "
              << milliseconds(most_late) << "), " << milliseconds(late.back()) << " ms at most\n";
    return failed || (argc > 4 && at(0.99) > most_late) ? 1 : 0;
}
