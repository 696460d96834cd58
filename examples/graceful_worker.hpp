#pragma once

#include <chrono>
#include <r2/r2.hpp>
#include <string>

namespace examples {

/// How a worker goes about the stop; all else is the same in each.
struct design {
    r2::duration grace = {};  ///< How long calls in flight may go on after the stop.
    bool detached = true;     ///< Whether roll-back and acknowledgement go without the stop token.
};

/// What all calls of a worker have in common.
inline r2::options call_options() {
    using namespace std::chrono_literals;
    return {.max_attempts = 3, .timeout = 60s, .replay = r2::replay::when_safe};
}

inline bool succeeded(r2::attempts range) { return range.finish().ended() == r2::ended::succeeded; }

/// One message: API 1, API 2, acknowledge; or else roll back and give the message back. `at` is where the queue and
/// both APIs are, such as "http://host".
inline void process(const std::string& message, const std::string& at, const r2::shutdown& down, const design& how,
                    const r2::options& policy) {
    const auto url = [&](const char* what) { return at + what + message; };
    const auto clean_up = [&] { return how.detached ? down.cleanup(policy) : down.work(policy); };

    if (succeeded(r2::put(url("/api-1/"), "", down.work(policy))) &&
        succeeded(r2::put(url("/api-2/"), "", down.work(policy)))) {
        r2::put(url("/acknowledged/"), "", clean_up()).finish();
    } else if (succeeded(r2::del(url("/api-2/"), clean_up())) &&  // it may have acted: cut is sent::maybe
               succeeded(r2::del(url("/api-1/"), clean_up()))) {
        r2::put(url("/given-back/"), "", clean_up()).finish();
    }
}

/// One worker: pulls messages and processes them, until the stop.
inline void work(const std::string& at, const r2::shutdown& down, const design& how, const r2::options& policy) {
    while (!down.requested()) {
        // Not cut by the stop, or the message on its way here would be nobody's; but limited like all clean-up.
        const r2::attempt pulled = r2::post(at + "/queue", "", down.cleanup(policy)).finish();
        if (pulled.ended() == r2::ended::succeeded) process(pulled.response()->body, at, down, how, policy);
    }
}

}  // namespace examples
