#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <r2/r2.hpp>

namespace outage {

using namespace std::chrono_literals;

struct scenario {
    std::uint32_t clients = 100'000;
    std::uint32_t clients_per_process = 1000;  ///< The clients of a process share its guards.
    r2::duration period = 10s;  ///< From one call of a client to its next; longer if the call takes longer.
    r2::duration breaks = 10s;  ///< From the beginning to the outage.
    r2::duration lasts = 30s;   ///< The outage.
    r2::duration after = 60s;   ///< From the end of the outage to that of the simulation.
    double capacity = 1.5;      ///< Of the server, in usual loads.

    double usual_load() const { return clients / std::chrono::duration<double>(period).count(); }
    r2::duration heals() const { return breaks + lasts; }
    r2::duration ends() const { return heals() + after; }
};

/// Processes one request after the other. A request that would wait too long is refused, at a tenth of the work. A
/// request whose client has given up costs all of its work.
class server {
public:
    explicit server(const scenario& s)
        : breaks_(s.breaks), heals_(s.heals()), work_(1s / (s.capacity * s.usual_load())) {}

    struct response {
        bool good;
        r2::duration at;
    };

    response serve(r2::duration now) {
        if (now >= breaks_ && now < heals_) return {false, now + 10ms};
        const auto t = std::chrono::duration<double>(now);
        free_ = std::max(free_, t);
        const bool full = free_ - t > longest_queue;
        free_ += full ? work_ / 10 : work_;
        if (full) return {false, now + 10ms};
        return {true, std::max(now + 50ms, std::chrono::duration_cast<r2::duration>(free_))};
    }

private:
    static constexpr std::chrono::duration<double> longest_queue = 2s;

    r2::duration breaks_, heals_;
    std::chrono::duration<double> work_;     // for one request
    std::chrono::duration<double> free_{0};  // when all that was accepted is done
};

}  // namespace outage
