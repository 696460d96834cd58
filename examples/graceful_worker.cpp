/// Stops 40 workers by SIGTERM in the middle of their messages, and loses no message: by a grace, or by a roll-back
/// without the stop token. Another run loses all 40, because everything carries the same stop token.
#include "graceful_worker.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <r2/r2.hpp>
#include <r2/testing/server.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int workers = 40;

struct trial {
    const char* name;
    examples::design how;
    const char* why;
};

constexpr trial naive{
    .name = "naive",
    .how = {.detached = false},
    .why = "API 2's response, the roll-back and the acknowledgement were cut: both acted, and the queue can't know.",
};
constexpr trial with_grace{
    .name = "grace",
    .how = {.grace = 20s},
    .why = "API 2's response arrived in the grace, and the acknowledgement doesn't carry the stop token.",
};
constexpr trial with_roll_back{
    .name = "detached roll-back",
    .how = {},
    .why = "API 2's response was cut. Undoing both and giving the message back carry no stop token.",
};

/// The state of the servers in the end.
struct counts {
    int committed = 0;     ///< Done at both APIs.
    int rolled_back = 0;   ///< Undone at both.
    int acknowledged = 0;  ///< The queue knows.
    int lost_acks = 0;     ///< Committed, but the queue doesn't know: it will be done again.
    int dead_letters = 0;  ///< Neither acknowledged nor given back.
};

/// The queue and both APIs: POST pulls a message, PUT does something for it, DELETE undoes that. API 2 responds late,
/// so that the stop finds all workers waiting for it.
class services {
public:
    services() {
        server_.handle([this](const r2::testing::recorded_request& q) { return respond(q); });
    }
    ~services() { api_2_responds_in(0s); }  // or the server would wait for its handlers

    std::string url() const { return server_.url(""); }

    bool all_in_api_2() {
        const std::lock_guard lock(mutex_);
        return in_api_2_ >= workers;
    }

    void api_2_responds_in(r2::duration d) {
        api_2_responds_ = std::chrono::steady_clock::now() + d;
        api_2_responds_.notify_all();
    }

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
    r2::testing::answer respond(const r2::testing::recorded_request& q) {
        using r2::testing::late, r2::testing::reply;
        if (q.method == "POST") return reply(200, std::to_string(pull()));
        record(q);
        if (q.method != "PUT" || !q.target.starts_with("/api-2/")) return reply(200);
        api_2_responds_.wait(unknown);
        return late(api_2_responds_.load() - std::chrono::steady_clock::now(), reply(200));
    }

    void record(const r2::testing::recorded_request& q) {
        const std::lock_guard lock(mutex_);
        const bool is_put = q.method == "PUT";
        // Both are recorded: an undo counts even if it overtakes the PUT that it undoes.
        const bool is_new = (is_put ? done_ : undone_).insert(q.target).second;
        in_api_2_ += is_new && is_put && q.target.starts_with("/api-2/");
    }

    int pull() {
        const std::lock_guard lock(mutex_);
        return ++pulled_;
    }

    static constexpr r2::time_point unknown = r2::time_point::max();

    std::mutex mutex_;
    int pulled_ = 0;
    int in_api_2_ = 0;
    std::set<std::string> done_, undone_;
    std::atomic<r2::time_point> api_2_responds_ = unknown;
    r2::testing::server server_;  // last: it uses the rest
};

void wait_until(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::sleep_for(1ms);
}

counts run(const trial& t) {
    services at;
    r2::shutdown down({.grace = t.how.grace, .cleanup = 60s});
    if (const r2::error err = down.on_signal({SIGTERM, SIGINT})) throw std::runtime_error(err.message());
    std::vector<std::jthread> all;
    for (int n = 0; n < workers; ++n)
        all.emplace_back([&] { examples::work(at.url(), down, t.how, examples::call_options()); });

    wait_until([&] { return at.all_in_api_2(); });
    std::raise(SIGTERM);
    wait_until([&] { return down.requested(); });
    at.api_2_responds_in(1s);
    all.clear();  // joins them

    const counts c = at.count();
    std::cout << std::left << std::setw(18) << t.name << std::right;
    for (const int n : {c.committed, c.rolled_back, c.acknowledged, c.lost_acks, c.dead_letters})
        std::cout << " | " << std::setw(12) << n;
    std::cout << "\n    " << t.why << '\n';
    return c;
}

/// True if each message was either done and acknowledged, or undone and given back.
bool lossless(const counts& c) {
    return c.committed + c.rolled_back == workers && c.lost_acks == 0 && c.dead_letters == 0;
}

}  // namespace

int main() {
    std::cout << "design             |    committed |  rolled back | acknowledged |    lost acks | dead letters\n";
    const counts lost = run(naive), let_in = run(with_grace), undone = run(with_roll_back);
    return lost.dead_letters == workers && lossless(let_in) && let_in.committed == workers && lossless(undone) ? 0 : 1;
}
