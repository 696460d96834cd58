#pragma once

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <r2/r2.hpp>
#include <string>
#include <utility>

namespace examples {

/// True if there is nothing left to wait for. A page that is no job counts as done, so any URL will do.
inline bool is_done(const r2::response& res) {
    const auto job = nlohmann::json::parse(res.body, nullptr, false);  // without exceptions: the body may be anything
    const bool still_running = job.contains("state") && job["state"] == "running";
    return res.status < 400 && !still_running;
}

/// The options of polling, unless the command line changes them.
inline r2::options polling() {
    using namespace std::chrono_literals;
    return {
        .max_attempts = 5,
        .timeout = 5s,
        .terminate_if = &is_done,
        .backoff = r2::backoff::exponential(200ms, 2.0, 1s),
        .replay = r2::replay::when_safe,
    };
}

/// Describes an attempt: its outcome, the decision and the reason.
inline std::string line_on(const r2::attempt& a) {
    // Whole milliseconds are enough for people.
    const auto shown = [](r2::duration d) { return r2::to_string(std::chrono::ceil<std::chrono::milliseconds>(d)); };
    auto&& [res, err] = a;

    std::string line = "attempt " + std::to_string(a.number()) + ": ";
    line += res ? std::to_string(res->status) + ", " + std::to_string(res->body.size()) + " bytes" : err.message();
    line += ", in " + shown(a.elapsed());
    if (!a.is_last())
        line += (res && res->status < 400 ? "; not done yet: again in " : "; that may pass: again in ") +
                shown(a.wait()) + " (" + std::string(to_string(a.wait_from())) + ")";
    else if (res)
        line += ", from " + res->url;  // the URL after redirects, without credentials
    return line;
}

/// Polls until the job is done, which is `condition_met`, or the loop ends for another reason.
inline r2::ended poll(r2::request job, r2::options how, std::ostream& out) {
    auto attempts = r2::send(std::move(job), std::move(how));
    for (auto&& attempt : attempts) out << line_on(attempt) << std::endl;  // now, not after the wait
    return attempts.ended();
}

}  // namespace examples
