/// Stops 40 workers by SIGTERM in the middle of their messages, and loses none: by a grace, or by a roll-back that the
/// stop doesn't reach. A third run shows how all 40 are lost if everything carries the same stop token.
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <r2/r2.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/job_server.hpp"

using namespace std::chrono_literals;

namespace {

constexpr int workers = 40;

/// How a worker goes about the stop; all else is the same in each.
struct design {
    const char* name;
    r2::duration grace = {};  ///< How long calls in flight may go on after the stop.
    bool detached = true;     ///< Whether roll-back and acknowledgement go without the stop token.
    const char* why;
};

constexpr design naive{
    .name = "naive",
    .detached = false,
    .why = "API 2's answer, the roll-back and the acknowledgement were all cut: both acted, and the queue isn't told.",
};
constexpr design with_grace{
    .name = "grace",
    .grace = 20s,
    .why = "API 2's answer was let in, and the acknowledgement doesn't carry the stop token.",
};
constexpr design with_roll_back{
    .name = "detached roll-back",
    .why = "API 2's answer was cut; undoing both and giving the message back carry no stop token.",
};

/// What the servers know in the end.
struct counts {
    int committed = 0;     ///< Done at both APIs.
    int rolled_back = 0;   ///< Undone at both.
    int acknowledged = 0;  ///< The queue was told.
    int lost_acks = 0;     ///< Committed, and the queue wasn't told: it will be done again.
    int dead_letters = 0;  ///< Neither acknowledged nor given back.
};

/// The queue and both APIs: POST pulls a message, PUT does a thing for it, DELETE undoes that. API 2 takes its time to
/// answer, so that the stop finds all workers there.
class services {
public:
    std::string url(const std::string& path) const { return server_.url(path); }

    bool all_in_api_2() {
        const std::lock_guard lock(mutex_);
        return in_api_2_ >= workers;
    }

    void api_2_answers_in(r2::duration d) { api_2_answers_ = std::chrono::steady_clock::now() + d; }

    counts count() {
        const std::lock_guard lock(mutex_);
        counts all;
        for (int n = 1; n <= pulled_; ++n) {
            const auto done = [&](const char* what) { return done_.contains(what + std::to_string(n)); };
            const auto stands = [&](const char* what) {
                return done(what) && !undone_.contains(what + std::to_string(n));
            };
            const bool committed = stands("/api-1/") && stands("/api-2/");
            const bool acknowledged = done("/acknowledged/");
            all.committed += committed;
            all.rolled_back += done("/api-1/") && !stands("/api-1/") && !stands("/api-2/");
            all.acknowledged += acknowledged;
            all.lost_acks += committed && !acknowledged;
            all.dead_letters += !acknowledged && !done("/given-back/");
        }
        return all;
    }

private:
    support::answer say(const std::string& request) {
        std::istringstream words(request);
        std::string method, path;
        words >> method >> path;
        const std::lock_guard lock(mutex_);
        if (method == "POST") return {.body = std::to_string(++pulled_)};
        // Both are remembered: an undo counts even if it overtakes what it undoes.
        const bool is_new = (method == "PUT" ? done_ : undone_).insert(path).second;
        if (method != "PUT" || !path.starts_with("/api-2/")) return {};
        in_api_2_ += is_new;
        return {.ready = [this] { return std::chrono::steady_clock::now() >= api_2_answers_.load(); }};
    }

    std::mutex mutex_;
    int pulled_ = 0;
    int in_api_2_ = 0;
    std::set<std::string> done_, undone_;
    std::atomic<r2::time_point> api_2_answers_ = r2::time_point::max();
    support::job_server server_{[this](const std::string& request) { return say(request); }};  // last: it uses the rest
};

bool succeeded(r2::attempts calls) { return calls.finish().ended() == r2::ended::succeeded; }

/// One worker: pull, API 1, API 2, acknowledge; or else roll back and give the message back.
void work(const services& at, const r2::shutdown& down, const design& how) {
    const r2::options policy{.max_attempts = 3, .timeout = 60s, .replay = r2::replay::when_safe};
    const auto clean_up = [&] { return how.detached ? down.cleanup(policy) : down.work(policy); };

    while (!down.requested()) {
        // Not cut by the stop, or the message on its way here would be nobody's; but limited like all clean-up.
        const r2::attempt pulled = r2::post(at.url("/queue"), "", down.cleanup(policy)).finish();
        if (pulled.ended() != r2::ended::succeeded) continue;
        const auto url = [&](const char* what) { return at.url(what + pulled.response()->body); };

        if (succeeded(r2::put(url("/api-1/"), "", down.work(policy))) &&
            succeeded(r2::put(url("/api-2/"), "", down.work(policy)))) {
            r2::put(url("/acknowledged/"), "", clean_up()).finish();
        } else if (succeeded(r2::del(url("/api-2/"), clean_up())) &&  // it may have acted: cut is sent::maybe
                   succeeded(r2::del(url("/api-1/"), clean_up()))) {
            r2::put(url("/given-back/"), "", clean_up()).finish();
        }
    }
}

void wait_until(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::sleep_for(1ms);
}

counts run(const design& how) {
    services at;
    r2::shutdown down{.grace = how.grace, .cleanup = 60s};
    if (const r2::error err = down.on_signal({SIGTERM, SIGINT})) throw std::runtime_error(err.message());
    std::vector<std::jthread> all;
    for (int n = 0; n < workers; ++n) all.emplace_back([&] { work(at, down, how); });

    wait_until([&] { return at.all_in_api_2(); });
    std::raise(SIGTERM);
    wait_until([&] { return down.requested(); });
    at.api_2_answers_in(1s);
    all.clear();  // joins them

    const counts c = at.count();
    std::cout << std::left << std::setw(18) << how.name << std::right;
    for (const int n : {c.committed, c.rolled_back, c.acknowledged, c.lost_acks, c.dead_letters})
        std::cout << " | " << std::setw(12) << n;
    std::cout << "\n    " << how.why << '\n';
    return c;
}

/// Whether each message was either done, and the queue knows, or undone and given back.
bool lossless(const counts& c) {
    return c.committed + c.rolled_back == workers && c.lost_acks == 0 && c.dead_letters == 0;
}

}  // namespace

int main() {
    std::cout << "design             |    committed |  rolled back | acknowledged |    lost acks | dead letters\n";
    const counts lost = run(naive), let_in = run(with_grace), undone = run(with_roll_back);
    return lost.dead_letters == workers && lossless(let_in) && let_in.committed == workers && lossless(undone) ? 0 : 1;
}
