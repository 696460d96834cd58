#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <r2/r2.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "outage_server.hpp"

/// Very many clients of one server that fails for some time, on virtual time. `r2::decide` and r2's guards make every
/// decision. Only the network is simulated.
namespace outage {

/// A way to retry. Each process calls `make` once, so that it has guards of its own.
struct policy {
    std::string name;
    std::function<r2::options()> make;
};

struct figures {
    std::vector<double> load = {};              ///< Requests in each `bin`, in usual loads.
    double amplification = 0;                   ///< Load in the outage, in usual loads.
    double peak = 0;                            ///< The highest load of all bins.
    double given_up = 0;                        ///< The share of calls without a success.
    std::optional<r2::duration> recovery = {};  ///< From the outage's end, until 99 % of the clients succeed for good.
    std::uint64_t requests = 0;

    static constexpr r2::duration bin = 250ms;
};

/// Each client is one event in the list of its millisecond: a priority queue would cost more than all the rest. The
/// memory of a client is prefetched some clients ahead, as cache misses would cost as much.
class simulation {
public:
    simulation(const scenario& s, const policy& p)
        : scenario_(s), server_(s), clients_(s.clients), due_(index(s.ends(), tick) + 1) {
        for (std::uint32_t n = 0; n < s.clients; n += s.clients_per_process) processes_.push_back(p.make());
        each_request_.resize(s.clients_per_process, r2::request{.url = "http://server.test/"});
        const std::size_t bins = index(s.ends(), figures::bin);
        requests_.resize(bins);
        for (std::uint32_t i = 0; i < s.clients; ++i) {
            client& c = clients_[i];
            c.period = scaled(s.period, 0.9 + 0.2 * chance());
            schedule(i, doing::pausing, scaled(c.period, chance()));
        }
    }

    figures run() {
        constexpr std::size_t ahead = 16;
        for (std::size_t i = 0; i + 1 < due_.size(); ++i) {
            now_ = tick * static_cast<int>(i);
            if (in_trouble_ > scenario_.clients / 100) last_trouble_ = now_;
            const std::vector<std::uint32_t> now_due = std::move(due_[i]);
            for (std::size_t k = 0; k < now_due.size(); ++k) {
                if (k + ahead < now_due.size()) __builtin_prefetch(&clients_[now_due[k + ahead]], 1);
                go_on(now_due[k]);
            }
        }
        return sum_up();
    }

private:
    enum class doing : std::uint8_t { pausing, waiting, succeeding, failing, timing_out };

    struct client {
        r2::duration period = {};
        r2::duration began = {};          // of its call
        r2::duration previous_wait = {};  // of backoff
        std::uint16_t number = 0;         // of its attempt
        doing now = doing::pausing;
        bool in_trouble = false;  // its last request failed
    };

    static constexpr r2::duration tick = 1ms;

    static std::size_t index(r2::duration d, r2::duration step) { return static_cast<std::size_t>(d / step); }
    static r2::duration scaled(r2::duration d, double by) {
        return r2::duration(static_cast<r2::duration::rep>(static_cast<double>(d.count()) * by));
    }

    const r2::options& options_of(std::uint32_t c) const { return processes_[c / scenario_.clients_per_process]; }
    const r2::request& request_of(std::uint32_t c) const { return each_request_[c % scenario_.clients_per_process]; }
    double chance() { return std::uniform_real_distribution<>()(luck_); }
    r2::time_point steady_now() const { return r2::time_point(24h) + now_; }

    /// Schedules for the next tick at the earliest, so that the list of this tick never changes.
    void schedule(std::uint32_t c, doing what, r2::duration at) {
        clients_[c].now = what;
        due_[std::min(index(std::max(at, now_ + tick), tick), due_.size() - 1)].push_back(c);
    }

    void go_on(std::uint32_t c) {
        switch (clients_[c].now) {
            case doing::pausing:
                return begin(c);
            case doing::waiting:
                return send(c);
            case doing::succeeding:
                return finish(c, succeeded_);
            case doing::failing:
                return finish(c, failed_);
            case doing::timing_out:
                return finish(c, timed_out_);
        }
    }

    void begin(std::uint32_t c) {
        clients_[c].began = now_;
        clients_[c].number = 1;
        clients_[c].previous_wait = {};
        wait(c, {}, [&](r2::guard& g) { return g.admit(request_of(c), 1, steady_now()); });
    }

    void send(std::uint32_t c) {
        ++requests_[index(now_, figures::bin)];
        const r2::options& o = options_of(c);
        const server::response a = server_.serve(now_);
        r2::duration limit = o.timeout > 0s ? now_ + o.timeout : r2::duration::max();
        if (o.deadline > 0s) limit = std::min(limit, clients_[c].began + o.deadline);
        if (a.at > limit) return schedule(c, doing::timing_out, limit);
        schedule(c, a.good ? doing::succeeding : doing::failing, a.at);
    }

    void finish(std::uint32_t c, const r2::outcome& what) {
        client& self = clients_[c];
        const r2::options& o = options_of(c);
        const bool troubled = &what != &succeeded_;
        in_trouble_ += troubled - self.in_trouble;
        self.in_trouble = troubled;
        for (const auto& each : o.guards) each->record_of(request_of(c), what.attempt(), steady_now());
        const r2::decision v = r2::decide(o, what,
                                          {.number = self.number,
                                           .elapsed = now_ - self.began,
                                           .chance = chance(),
                                           .previous_wait = self.previous_wait});
        if (v.ended != r2::ended::not_yet) return end(c, v.ended == r2::ended::succeeded);
        if (v.wait_from == r2::wait_source::backoff) self.previous_wait = v.wait;
        ++self.number;
        wait(c, v.wait, [&](r2::guard& g) { return g.admit_next(request_of(c), what.attempt(), steady_now()); });
    }

    /// Waits for the longest wait of all guards, as r2's own loop does.
    template <class Ask> void wait(std::uint32_t c, r2::duration longest, Ask ask) {
        const r2::options& o = options_of(c);
        bool refused = false;
        std::size_t admitted = 0;
        while (admitted < o.guards.size() && !refused) {
            const r2::admission decision = ask(*o.guards[admitted]);
            refused = decision.refused();
            if (refused) continue;
            ++admitted;
            longest = std::max(longest, decision.wait());
        }
        if (o.deadline > 0s && now_ - clients_[c].began + longest >= o.deadline) refused = true;
        if (!refused) return longest > 0s ? schedule(c, doing::waiting, now_ + longest) : send(c);
        for (std::size_t i = 0; i < admitted; ++i) o.guards[i]->cancel(request_of(c), steady_now());
        end(c, false);
    }

    void end(std::uint32_t c, bool success) {
        ++calls_;
        given_up_ += !success;
        schedule(c, doing::pausing, clients_[c].began + clients_[c].period);
    }

    figures sum_up() const {
        const double usual = scenario_.usual_load() * std::chrono::duration<double>(figures::bin).count();
        figures f;
        const std::size_t breaks = index(scenario_.breaks, figures::bin),
                          heals = index(scenario_.heals(), figures::bin);
        for (std::size_t i = 0; i < requests_.size(); ++i) {
            f.requests += requests_[i];
            f.load.push_back(static_cast<double>(requests_[i]) / usual);
            f.peak = std::max(f.peak, f.load[i]);
            if (i >= breaks && i < heals) f.amplification += f.load[i] / static_cast<double>(heals - breaks);
        }
        f.given_up = static_cast<double>(given_up_) / static_cast<double>(std::max<std::uint64_t>(calls_, 1));

        if (last_trouble_ < scenario_.ends() - 1s) f.recovery = std::max(last_trouble_ - scenario_.heals(), 0ns);
        return f;
    }

    const scenario scenario_;
    std::mt19937_64 luck_;  // the same for each simulation
    const r2::outcome succeeded_ = 200, failed_ = 503, timed_out_ = r2::errc::timeout;
    server server_;
    std::vector<r2::options> processes_;
    std::vector<r2::request> each_request_;  // one for each client of a process: guards identify an attempt by it
    std::vector<client> clients_;
    std::vector<std::vector<std::uint32_t>> due_;
    std::vector<std::uint64_t> requests_;  // in each bin
    std::uint64_t calls_ = 0, given_up_ = 0;
    std::int64_t in_trouble_ = 0;  // clients
    r2::duration now_ = {}, last_trouble_ = {};
};

}  // namespace outage
