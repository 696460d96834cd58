/// Logs and counts the attempts of all requests in one place: the loops that make them know nothing of it.
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <r2/r2.hpp>
#include <string>

#include "support/job_server.hpp"

using namespace std::chrono_literals;

namespace {

struct metrics {
    int attempts = 0;
    int sends = 0;
    r2::duration busy = {};
    r2::duration waiting = {};
    std::map<std::string, int> outcomes = {};

    void operator()(const r2::request& q, const r2::attempt& a) {
        auto&& [res, err] = a;
        const std::string outcome = res ? std::to_string(res->status) : err.message();
        ++attempts;
        sends += a.sends();
        busy += a.elapsed();
        waiting += a.wait();
        ++outcomes[outcome];

        // To the log goes nothing that may hold a secret: no URL, no header, no body.
        std::clog << q.method << " #" << a.number() << ": " << outcome << " in " << r2::to_string(a.elapsed());
        if (a.is_last())
            std::clog << ", " << to_string(a.ended()) << '\n';
        else
            std::clog << ", waits " << r2::to_string(a.wait()) << " for " << to_string(a.wait_from()) << '\n';
    }
};

}  // namespace

int main() {
    support::job_server server(support::in_order({
        {.body = "one"},
        {.status = 503},
        {.status = 503, .field = "Retry-After: 1"},
        {.body = "two"},
        {.cut_after = 0},  // hangs up on a connection that was kept alive: a GET is sent again within its attempt
        {.body = "three"},
        {.status = 404},
    }));

    metrics seen;
    const r2::options policy{
        .max_attempts = 5,
        .timeout = 2s,
        .backoff = r2::backoff::exponential(100ms),
        .on_attempt = std::ref(seen),  // not a copy of it for each request
    };

    for (const char* path : {"/1", "/2", "/3", "/4"})
        for (auto&& [res, err] : r2::get(server.url(path), policy))
            if (res && res->status == 200) std::cout << path << ": " << res->body << '\n';

    std::cout << seen.attempts << " attempts, " << seen.sends << " sends, busy for " << r2::to_string(seen.busy)
              << ", waiting for " << r2::to_string(seen.waiting) << '\n';
    for (const auto& [outcome, times] : seen.outcomes) std::cout << times << " x " << outcome << '\n';
}
