/// Polls a job until it is done, and describes each attempt and its decision. Without a URL it brings its own server,
/// where a job takes some time and several attempts fail.
#include "poll_job.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <iostream>
#include <optional>
#include <r2/r2.hpp>
#include <r2/testing/server.hpp>
#include <string>
#include <vector>

namespace {

std::vector<r2::testing::answer> a_bad_day() {
    using r2::testing::reply;
    return {
        reply(503),
        reply(503),
        reply(200, R"({"state": "running", "progress": 10})").cut_body(20),
        reply(200, R"({"state": "running", "progress": 30})"),
        reply(429, "", {{"Retry-After", "1"}}),
        reply(200, R"({"state": "running", "progress": 80})"),
        reply(200, R"({"state": "done", "progress": 100})"),
    };
}

/// Declares the command line, which fills in the request and the options.
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

    app.add_option("url", job.url, "the URL of the job; not given: a server of its own");
    app.add_option("--attempts", how.max_attempts, "the most attempts; 0: no limit");
    add_seconds("--timeout", how.timeout, "for one attempt; 0: no limit");
    add_seconds("--interval", how.interval, "between attempts; 0: backoff with jitter");
    add_seconds("--deadline", how.deadline, "for all attempts; 0: no limit");
    app.add_option("-X,--method", job.method, "GET; with a body POST");
    app.add_option_function<std::string>("-d,--data", set_body, "the body");
    app.add_option_function<std::vector<std::string>>("-H,--header", add_headers, "'Name: value'; any number of times")
        ->allow_extra_args(false);  // or it would take the URL after it for another header
}

}  // namespace

int main(int argc, char** argv) {
    r2::shutdown down;
    if (const r2::error err = down.on_signal({SIGINT, SIGTERM})) std::cerr << err.message() << '\n';

    r2::request job;
    r2::options how = examples::polling();
    how.stop = down.token();

    CLI::App app("Polls a job until it is done.");
    describe(app, job, how);
    CLI11_PARSE(app, argc, argv);
    if (!job.body.empty() && !app.count("--method")) job.method = "POST";

    std::optional<r2::testing::server> server;
    if (job.url.empty()) {
        server.emplace().script(a_bad_day());
        job.url = server->url("/jobs/42");
        if (!app.count("--attempts")) how.max_attempts = 10;
    }

    const r2::ended end = examples::poll(job, how, std::cout);
    std::cout << "the end: " << to_string(end) << '\n';
    return end == r2::ended::condition_met ? 0 : 1;
}
