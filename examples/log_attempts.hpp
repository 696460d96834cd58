#pragma once

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <r2/r2.hpp>
#include <string>
#include <vector>

namespace examples {

/// Logs and counts attempts.
struct metrics {
    std::ostream& log;
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

        // The log gets nothing that may hold a secret: no URL, no header, no body.
        log << q.method << " #" << a.number() << ": " << outcome << " in " << r2::to_string(a.elapsed());
        if (a.is_last())
            log << ", " << to_string(a.ended()) << '\n';
        else
            log << ", waits " << r2::to_string(a.wait()) << " for " << to_string(a.wait_from()) << '\n';
    }
};

/// Options for all requests of a program.
inline r2::options watched_by(metrics& m) {
    using namespace std::chrono_literals;
    return {
        .max_attempts = 5,
        .timeout = 2s,
        .backoff = r2::backoff::exponential(100ms),
        .on_attempt = std::ref(m),  // a reference, as each request would count in a copy of its own
    };
}

/// A part of the program without any code for logs or metrics.
inline void print_all(const std::vector<std::string>& urls, const r2::options& how, std::ostream& out) {
    for (const std::string& url : urls)
        for (auto&& [res, err] : r2::get(url, how))
            if (res && res->status == 200) out << res->body << '\n';
}

}  // namespace examples
