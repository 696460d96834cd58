#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <r2/policy/latency_log.hpp>
#include <r2/testing.hpp>

#include "property/script.hpp"

namespace r2::property {

/// The world that many cases share: a clock that only waiting moves, a stop, and a server with a script for each case.
class crowd_world {
public:
    struct job {
        const loop_case* plan;
        std::vector<time_point> starts = {};  ///< Of each request that was sent.
        int in_flight = 0;
    };

    void begin(std::vector<job> jobs, std::optional<duration> stop_at) {
        jobs_ = std::move(jobs);
        now_ = beginning;
        stop_ = std::stop_source();
        stop_at_ = stop_at ? std::optional(later(beginning, *stop_at)) : std::nullopt;
    }

    time_point now() const noexcept { return now_; }
    duration elapsed() const noexcept { return now_ - beginning; }
    job& at(std::size_t i) { return jobs_[i]; }
    const std::vector<job>& jobs() const noexcept { return jobs_; }
    std::stop_source& stop() noexcept { return stop_; }

    /// The case that this request is of.
    std::size_t number_of(const request& q) const { return std::stoul(q.url.substr(q.url.rfind('/') + 1)); }

    /// Moves the clock until then, or to the stop, if that comes first.
    void advance(time_point t) {
        if (stop_at_ && *stop_at_ <= t) {
            now_ = std::max(now_, *stop_at_);
            stop_at_.reset();
            stop_.request_stop();
        } else {
            now_ = std::max(now_, t);
        }
    }

    /// Lets time pass, as a callable does that takes its own.
    void pass(duration d) {
        const time_point until = later(now_, d);
        advance(until);
        now_ = std::max(now_, until);
    }

    static constexpr time_point beginning = testing::fake_client::beginning;

private:
    std::vector<job> jobs_;
    time_point now_ = beginning;
    std::optional<time_point> stop_at_;
    std::stop_source stop_;
};

/// Sends to the scripts of such a world.
using detail::completion;
using detail::ticket;
using detail::transfer_limits;

class crowd_transport final : public detail::transport {
public:
    explicit crowd_transport(crowd_world& w) : world_(w) {}

    time_point now() noexcept override { return world_.now(); }
    wall_time wall_now() noexcept override { return testing::fake_client::wall_beginning + world_.elapsed(); }
    double chance() noexcept override { return 0.5; }

    void start(ticket& t, const request& q, const transfer_limits& l) override {
        crowd_world::job& j = world_.at(world_.number_of(q));
        const std::size_t last = static_cast<std::size_t>(j.plan->steps) - 1;
        const step& s = j.plan->script[std::min(j.starts.size(), last)];
        j.starts.push_back(now());
        if (s.throws) throw oops{j.plan->seed, thrower::script};
        ++j.in_flight;
        transfers_.push_back({{&t, later(now(), s.after)}, &j, outcome_of(s, l)});
    }

    std::optional<completion> wait_until(time_point until) override {
        std::optional<completion> complete;
        while (!(complete = next_complete()) && !woken_.exchange(false) && now() < until) world_.advance(next(until));
        return complete;
    }

    attempt take(ticket& t) override { return extract(t).outcome; }
    int cancel(ticket& t) noexcept override { return extract(t).outcome.sends(); }
    void wake() noexcept override { woken_ = true; }

private:
    struct transfer {
        completion self;
        crowd_world::job* of;
        attempt outcome;
    };

    static attempt outcome_of(const step& s, const transfer_limits& l) {
        if (!s.status) return attempt(error(s.kind, {}, s.sent), s.sent == r2::sent::maybe);
        if (s.body && secret.size() > l.max_body) return attempt(error(errc::too_large, {}, r2::sent::maybe), 1);
        return attempt(response_of(s), 1);
    }

    std::optional<completion> next_complete() const {
        for (const transfer& each : transfers_)
            if (each.self.at <= world_.now()) return each.self;
        return std::nullopt;
    }

    time_point next(time_point until) const {
        for (const transfer& each : transfers_) until = std::min(until, each.self.at);
        if (until == never) throw std::logic_error("a wait that never ends");
        return until;
    }

    transfer extract(ticket& ticket) noexcept {
        const auto place =
            std::find_if(transfers_.begin(), transfers_.end(), [&ticket](auto& t) { return t.self.which == &ticket; });
        transfer t = std::move(*place);
        transfers_.erase(place);
        --t.of->in_flight;
        return t;
    }

    crowd_world& world_;
    std::vector<transfer> transfers_;
    std::atomic<bool> woken_ = false;
};

class crowd_client : public client {
public:
    explicit crowd_client(crowd_world& w) : client(on_transports(), std::make_shared<pool>(w)) {}

private:
    struct pool : detail::transport_pool {
        explicit pool(crowd_world& w) : world(w) {}
        std::unique_ptr<detail::transport> take() override { return std::make_unique<crowd_transport>(world); }
        void give_back(std::unique_ptr<detail::transport>) noexcept override {}
        r2::detail::latency_log& latencies() noexcept override { return log; }

        crowd_world& world;
        r2::detail::latency_log log;
    };
};

}  // namespace r2::property
