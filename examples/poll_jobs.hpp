#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <r2/r2.hpp>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace examples {

/// The progress at one time. Each of `all` is over, in flight or waiting.
struct standing {
    std::size_t all = 0;
    std::size_t over = 0;
    std::size_t failed = 0;  ///< Of those that are over.
    std::size_t in_flight = 0;
    std::size_t attempts = 0;
    r2::duration elapsed = {};
};

/// The number of jobs that are enough to measure a pace.
inline constexpr std::size_t enough = 10;

/// Returns the time left at the pace since `before`; nothing while too few have ended since.
inline std::optional<r2::duration> time_left(const standing& before, const standing& now) {
    if (now.over == now.all) return r2::duration{};
    if (now.over < before.over + enough) return std::nullopt;
    const std::chrono::duration<double> each =
        (now.elapsed - before.elapsed) / static_cast<double>(now.over - before.over);
    return std::chrono::duration_cast<r2::duration>(each * static_cast<double>(now.all - now.over));
}

/// Returns the attempts a second since `before`.
inline long long rate(const standing& before, const standing& now) {
    const std::chrono::duration<double> d = now.elapsed - before.elapsed;
    return d.count() > 0 ? std::llround(static_cast<double>(now.attempts - before.attempts) / d.count()) : 0;
}

/// Formats minutes and seconds as "2:05", and an unknown time as "-".
inline std::string minutes(std::optional<r2::duration> d) {
    if (!d) return "-";
    const auto s = std::chrono::ceil<std::chrono::seconds>(*d).count();
    return std::to_string(s / 60) + ':' + std::to_string(100 + s % 60).substr(1);
}

/// Returns a line such as "done 512, in flight 32, waiting 451, failed 5, 980/s, 0:02 left".
inline std::string line_on(const std::string& what, const standing& before, const standing& now) {
    return what + ' ' + std::to_string(now.over - now.failed) + ", in flight " + std::to_string(now.in_flight) +
           ", waiting " + std::to_string(now.all - now.over - now.in_flight) + ", failed " +
           std::to_string(now.failed) + ", " + std::to_string(rate(before, now)) + "/s, " +
           minutes(time_left(before, now)) + " left";
}

/// The output of a `progress_line`.
struct screen {
    std::ostream& out;
    std::size_t columns = 0;             ///< 0: not a terminal.
    std::function<r2::duration()> time;  ///< A clock. Only its differences matter.
};

/// Shows the progress: on a terminal in one line that it overwrites, elsewhere in a line now and then.
class progress_line {
public:
    progress_line(const screen& s, std::string what, std::size_t all)
        : screen_(s), what_(std::move(what)), began_(s.time()), recent_{{.all = all}} {}

    /// Call this after each attempt.
    void show(const r2::progress& p, std::size_t failed) {
        const standing now = as_of(p, failed);
        const r2::duration seldom = screen_.columns > 0 ? std::chrono::milliseconds(100) : std::chrono::seconds(1);
        if (now.over < now.all && now.elapsed >= recent_.back().elapsed + seldom) write(now);
    }

    /// Writes the last line, which stays.
    void end(const r2::progress& p, std::size_t failed) {
        write(as_of(p, failed));
        if (screen_.columns > 0) screen_.out << std::endl;
    }

private:
    standing as_of(const r2::progress& p, std::size_t failed) const {
        return {recent_.back().all, p.done, failed, p.in_flight, p.attempts, screen_.time() - began_};
    }

    void write(const standing& now) {
        // The pace is that of the last 5 s, or longer if too few jobs have ended since.
        while (recent_.size() > 1 && recent_[1].elapsed + std::chrono::seconds(5) <= now.elapsed &&
               recent_[1].over + enough <= now.over)
            recent_.pop_front();
        const std::string line = line_on(what_, recent_.front(), now);
        if (screen_.columns > 0)
            screen_.out << '\r' << line.substr(0, screen_.columns - 1) << "\033[K" << std::flush;
        else
            screen_.out << line << std::endl;
        recent_.push_back(now);
    }

    screen screen_;
    std::string what_;
    r2::duration began_;
    std::deque<standing> recent_;  // never empty
};

/// The results of many requests.
struct results {
    std::vector<std::string> urls = {};    ///< Of the jobs that succeeded.
    std::vector<std::string> failed = {};  ///< The others, and why.
    std::string summary = {};
};

/// Describes the outcome of an attempt in short.
inline std::string reason(const r2::attempt& a) {
    auto&& [res, err] = a;
    return std::string(to_string(a.ended())) + ", " +
           (res ? std::to_string(res->status) + ' ' + res->body.substr(0, 60) : err.message());
}

/// Starts jobs by POST /jobs, and returns their URLs. `at` is the base URL of the service, such as "http://host".
inline results start_jobs(const std::string& at, std::size_t jobs, const r2::options& how, r2::concurrency most,
                          const screen& s) {
    // Each order has a key: sent several times, it starts only one job.
    const auto order = [&](std::size_t) -> r2::request {
        return {.method = "POST", .url = at + "/jobs", .headers = {{"Idempotency-Key", r2::fresh_key()}}};
    };
    results all;
    progress_line line(s, "started", jobs);
    auto range = r2::all(std::views::iota(std::size_t(0), jobs) | std::views::transform(order), how, most);
    for (auto& a : range) {
        auto&& [job, res, err] = a;
        const auto location = res ? res->headers.get("Location") : std::nullopt;
        if (a.ended() == r2::ended::succeeded && location)
            all.urls.push_back((location->starts_with('/') ? at : "") + std::string(*location));
        else if (a.is_last())
            all.failed.push_back("order " + std::to_string(job) + ": " + reason(a));
        line.show(range.progress(), all.failed.size());
    }
    line.end(range.progress(), all.failed.size());
    all.summary = range.summary();
    return all;
}

/// Returns the state of a job, or "" if the response has none.
inline std::string state_of(const r2::response& res) {
    const auto job = nlohmann::json::parse(res.body, nullptr, false);  // never throws
    return job.contains("state") && job["state"].is_string() ? job["state"].get<std::string>() : "";
}

/// True if a job won't change any more. A response that makes no sense is polled again.
inline bool is_over(const r2::response& res) {
    const std::string state = state_of(res);
    return res.status == 200 && (state == "done" || state == "failed");
}

/// Polls all jobs until they are over, with the options `how`.
inline results poll_jobs(const std::vector<std::string>& urls, r2::options how, r2::concurrency most, const screen& s) {
    how.terminate_if = &is_over;
    results all;
    progress_line line(s, "done", urls.size());
    auto range = r2::all(urls, how, most);
    for (auto& a : range) {
        auto&& [job, res, err] = a;
        if (a.ended() == r2::ended::condition_met && state_of(*res) == "done")
            all.urls.push_back(urls[job]);
        else if (a.is_last())
            all.failed.push_back(urls[job] + ": " + reason(a));
        line.show(range.progress(), all.failed.size());
    }
    line.end(range.progress(), all.failed.size());
    all.summary = range.summary();
    return all;
}

}  // namespace examples
