/// Polls a job until it is done, whatever gets in the way, and says after each attempt what follows and why.
/// Without a URL it brings a server of its own, where a job takes a while and little goes well.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <r2/r2.hpp>
#include <string>
#include <vector>

#include "support/job_server.hpp"

using namespace std::chrono_literals;

namespace {

/// Whether there is nothing left to wait for. A page that isn't about a job is an answer too: so any URL will do.
bool is_done(const r2::response& res) {
    const auto job = nlohmann::json::parse(res.body, nullptr, false);  // never throws: who knows what a server sends
    const bool still_running = job.contains("state") && job["state"] == "running";
    return res.status < 400 && !still_running;
}

/// Whole milliseconds are enough for people.
std::string shown(r2::duration d) { return r2::to_string(std::chrono::ceil<std::chrono::milliseconds>(d)); }

void print(const r2::attempt& a) {
    auto&& [res, err] = a;
    std::cout << "attempt " << a.number() << ": ";
    if (res)
        std::cout << res->status << ", " << res->body.size() << " bytes";
    else
        std::cout << err.message();
    std::cout << ", in " << shown(a.elapsed());

    if (!a.is_last())
        std::cout << (res && res->status < 400 ? "; not done yet" : "; that may pass") << ": again in "
                  << shown(a.wait()) << " (" << to_string(a.wait_from()) << ')';
    else if (res)
        std::cout << ", from " << res->url;  // where redirects led, and without credentials
    std::cout << std::endl;                  // now, not after the wait
}

std::vector<support::answer> a_bad_day() {
    return {
        {.status = 503},
        {.status = 503},
        {.body = R"({"state": "running", "progress": 10})", .cut_after = 60},
        {.body = R"({"state": "running", "progress": 30})"},
        {.status = 429, .field = "Retry-After: 1"},
        {.body = R"({"state": "running", "progress": 80})"},
        {.body = R"({"state": "done", "progress": 100})"},
    };
}

/// The command line, in terms of the request and the options themselves.
void describe(CLI::App& app, r2::request& job, r2::options& how) {
    const auto add_seconds = [&app](const char* name, r2::duration& d, const char* meaning) {
        const auto set = [&d](double s) { d = r2::duration(static_cast<r2::duration::rep>(s * 1e9)); };
        app.add_option_function<double>(name, set, meaning)->check(CLI::Range(0.0, 1e6))->type_name("SECONDS");
    };
    const auto set_body = [&job](const std::string& text) { job.body = text; };
    const auto add_headers = [&job](const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            const std::size_t colon = std::min(line.find(':'), line.size());
            const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
            job.headers.add(line.substr(0, colon), line.substr(value));
        }
    };

    app.add_option("url", job.url, "whom to ask; not given: a server of its own");
    app.add_option("--attempts", how.max_attempts, "at most so many; 0: no limit");
    add_seconds("--timeout", how.timeout, "for one attempt; 0: no limit");
    add_seconds("--interval", how.interval, "between attempts; 0: growing, and spread by chance");
    add_seconds("--deadline", how.deadline, "for the whole; 0: no limit");
    app.add_option("-X,--method", job.method, "GET; with a body POST");
    app.add_option_function<std::string>("-d,--data", set_body, "the body");
    app.add_option_function<std::vector<std::string>>("-H,--header", add_headers, "'Name: value'; any number of times")
        ->allow_extra_args(false);  // else it would take the URL that follows for another header
}

}  // namespace

int main(int argc, char** argv) {
    r2::shutdown down;
    if (const r2::error err = down.on_signal({SIGINT, SIGTERM})) std::cerr << err.message() << '\n';

    r2::request job;
    r2::options how{
        .max_attempts = 5,
        .timeout = 5s,
        .terminate_if = &is_done,
        .backoff = r2::backoff::exponential(200ms, 2.0, 1s),
        .replay = r2::replay::when_safe,
        .stop = down.token(),
    };

    CLI::App app("Polls a job until it is done.");
    describe(app, job, how);
    CLI11_PARSE(app, argc, argv);
    if (!job.body.empty() && !app.count("--method")) job.method = "POST";

    std::optional<support::job_server> server;
    if (job.url.empty()) {
        job.url = server.emplace(support::in_order(a_bad_day())).url("/jobs/42");
        if (!app.count("--attempts")) how.max_attempts = 10;
    }

    auto attempts = r2::send(job, how);
    for (auto&& attempt : attempts) print(attempt);

    std::cout << "the end: " << to_string(attempts.ended()) << '\n';
    return attempts.ended() == r2::ended::condition_met ? 0 : 1;
}
