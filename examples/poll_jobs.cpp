/// Starts 1,000 jobs and polls them all to their end, in one loop on one thread, with a line of progress. It brings its
/// own server: jobs take some seconds, a few fail for good, and some responses are lost, broken or 503.
#include "poll_jobs.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <iostream>
#include <map>
#include <mutex>
#include <r2/r2.hpp>
#include <r2/testing/server.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// POST /jobs starts a job, but only once for each key. GET /jobs/7 returns its state.
class workshop {
public:
    workshop() {
        server_.handle([this](const r2::testing::recorded_request& q) {
            const std::lock_guard lock(mutex_);
            ++requests_;
            return q.method == "POST" ? start(q) : state_of(q.target);
        });
    }

    std::string url() const { return server_.url(""); }

    std::size_t started() {
        const std::lock_guard lock(mutex_);
        return jobs_.size();
    }

    /// Returns how many of so many jobs will fail.
    static std::size_t failing(std::size_t jobs) { return jobs / 100; }

private:
    using clock = std::chrono::steady_clock;

    struct job {
        clock::time_point began;
        r2::duration takes;
        bool fails;
    };

    r2::testing::answer start(const r2::testing::recorded_request& q) {
        using r2::testing::nothing, r2::testing::reply;
        if (requests_ % 50 == 25) return reply(503);
        const std::size_t next = jobs_.size() + 1;
        const std::size_t n = keys_.try_emplace(std::string(*q.headers.get("Idempotency-Key")), next).first->second;
        if (n == next) jobs_.push_back({clock::now(), 2s + next * 37 % 100 * 40ms, next % 100 == 0});
        if (requests_ % 50 == 0) return nothing().close();  // the job has started all the same
        return reply(202, "", {{"Location", "/jobs/" + std::to_string(n)}});
    }

    r2::testing::answer state_of(std::string_view target) {
        using r2::testing::reply;
        if (requests_ % 90 == 0) return reply(503, "", {{"Retry-After", "1"}});
        if (requests_ % 90 == 30) return reply(200, R"({"state": "running"})").cut_body(10);
        if (requests_ % 90 == 60) return reply(200, "<h1>It works!</h1>");
        const job& j = jobs_.at(std::stoul(std::string(target.substr(6))) - 1);
        const auto percent = (clock::now() - j.began) * 100 / j.takes;
        if (percent < 100) return reply(200, R"({"state": "running", "progress": )" + std::to_string(percent) + '}');
        return reply(200, j.fails ? R"({"state": "failed", "why": "out of wood"})" : R"({"state": "done"})");
    }

    std::mutex mutex_;
    std::size_t requests_ = 0;
    std::map<std::string, std::size_t> keys_;
    std::vector<job> jobs_;       // number 1 first
    r2::testing::server server_;  // last: it uses the rest
};

std::size_t columns() {
    if (!isatty(STDOUT_FILENO)) return 0;
    winsize w{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? std::min<std::size_t>(w.ws_col, 80) : 80;
}

void print(const examples::results& all) {
    constexpr std::size_t most = 5;
    std::cout << all.summary << '\n';
    for (std::size_t i = 0; i < std::min(most, all.failed.size()); ++i) std::cout << "  " << all.failed[i] << '\n';
    if (all.failed.size() > most) std::cout << "  and " << all.failed.size() - most << " more\n";
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t jobs = 1000;
    double interval = 0.5, deadline = 60;
    int most = 32;

    CLI::App app("Starts many jobs and polls them to their end.");
    app.option_defaults()->always_capture_default();
    app.add_option("--jobs", jobs, "how many")->check(CLI::Range(1, 100'000));
    app.add_option("--interval", interval, "between two polls of a job, in seconds")->check(CLI::Range(0.001, 1e6));
    app.add_option("--deadline", deadline, "for all of them, in seconds")->check(CLI::Range(0.001, 1e6));
    app.add_option("--max-in-flight", most, "requests at once")->check(CLI::Range(1, 1000));
    CLI11_PARSE(app, argc, argv);

    r2::shutdown down;
    if (const r2::error err = down.on_signal({SIGINT, SIGTERM})) std::cerr << err.message() << '\n';

    const auto seconds = [](double s) { return r2::duration(static_cast<r2::duration::rep>(s * 1e9)); };
    const r2::options starting = down.work({.max_attempts = 5, .timeout = 5s, .backoff = r2::backoff::constant(200ms)});
    const r2::options polling =
        down.work({.timeout = 5s, .interval = seconds(interval), .deadline = seconds(deadline)});
    const r2::concurrency limits{.max_in_flight = most, .max_per_host = most};
    const examples::screen screen{std::cout, columns(),
                                  [] { return std::chrono::steady_clock::now().time_since_epoch(); }};

    workshop server;
    const examples::results started = examples::start_jobs(server.url(), jobs, starting, limits, screen);
    print(started);
    const examples::results done = examples::poll_jobs(started.urls, polling, limits, screen);
    print(done);

    const std::size_t failing = workshop::failing(jobs);
    return server.started() == jobs && done.urls.size() == jobs - failing && done.failed.size() == failing ? 0 : 1;
}
