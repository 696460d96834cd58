#pragma once

#include <chrono>
#include <r2/r2.hpp>
#include <string>

namespace examples {

/// The part of a worker that differs between the trials: its reaction to the stop.
struct design {
    r2::duration grace = {};  ///< The time for calls in flight after the stop.
    bool detached = true;     ///< Roll-back and acknowledgement don't carry the stop token.
};

/// The options of all calls of a worker.
inline r2::options call_options() {
    using namespace std::chrono_literals;
    return {.max_attempts = 3, .timeout = 60s, .replay = r2::replay::when_safe};
}

inline bool succeeded(r2::attempts range) { return range.finish().ended() == r2::ended::succeeded; }

/// Processes one message: calls API 1 and API 2 and acknowledges; or else rolls back and gives the message back. `at`
/// is the base URL of the queue and both APIs, such as "http://host".
inline void process(const std::string& message, const std::string& at, const r2::shutdown& down, const design& how,
                    const r2::options& policy) {
    const auto url = [&](const char* what) { return at + what + message; };
    const auto clean_up = [&] { return how.detached ? down.cleanup(policy) : down.work(policy); };

    if (succeeded(r2::put(url("/api-1/"), "", down.work(policy))) &&
        succeeded(r2::put(url("/api-2/"), "", down.work(policy)))) {
        r2::put(url("/acknowledged/"), "", clean_up()).finish();
    } else if (succeeded(r2::del(url("/api-2/"), clean_up())) &&  // API 2 may have acted: a cut attempt is sent::maybe
               succeeded(r2::del(url("/api-1/"), clean_up()))) {
        r2::put(url("/given-back/"), "", clean_up()).finish();
    }
}

/// One worker: pulls messages and processes them until the stop.
inline void work(const std::string& at, const r2::shutdown& down, const design& how, const r2::options& policy) {
    while (!down.requested()) {
        // Clean-up options: the stop must not cut the pull, or a message on its way here would be lost.
        const r2::attempt pulled = r2::post(at + "/queue", "", down.cleanup(policy)).finish();
        if (pulled.ended() == r2::ended::succeeded) process(pulled.response()->body, at, down, how, policy);
    }
}

}  // namespace examples
