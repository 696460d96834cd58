#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "r2/curl/check_url.hpp"
#include "r2/policy/latency_log.hpp"
#include "r2/testing/virtual_time.hpp"
#include "r2/transport/transport_pool.hpp"
#include "r2/words/log_text.hpp"
#include "r2/words/outcome.hpp"
#include "r2/words/random.hpp"

namespace r2::inline v0_2::testing::detail {

using r2::detail::completion;
using r2::detail::ticket;
using r2::detail::transfer_limits;

/// The outcome of one transfer, or of several.
struct step {
    std::shared_ptr<const std::function<outcome(const request&)>> outcome_of;  ///< Shared: it may have a state.
    duration after = {};    ///< From the start to the outcome; `duration::max()`: never.
    std::size_t times = 1;  ///< How many more transfers take it.
    bool forever = false;   ///< All later transfers take it.
};

/// The script, the clock and the record of one fake client, shared by its transports. Only waiting moves the clock. For
/// one thread.
struct world {
    std::deque<step> script = {};
    std::multimap<time_point, std::function<void()>> events = {};
    std::vector<request> requests = {};
    std::vector<duration> waits = {};
    time_point now = virtual_beginning;
    double chance = 0.5;
    std::optional<r2::detail::splitmix64> random = {};  // in place of `chance`

    duration elapsed() const noexcept { return now - virtual_beginning; }

    /// Moves the clock, and runs the events up to then.
    void pass_until(time_point t) {
        while (!events.empty() && events.begin()->first <= t) run_next_event();
        now = std::max(now, t);
    }

    void run_next_event() {
        const auto event = events.extract(events.begin());
        now = std::max(now, event.key());
        event.mapped()();
    }

    std::string name_of_last_request() const {
        const request& q = requests.back();
        return "request " + std::to_string(requests.size()) + ", " + q.method + ' ' + r2::detail::redacted(q.url);
    }
};

/// Takes outcomes from a script, and waits by moving the clock.
class virtual_transport final : public r2::detail::transport {
public:
    explicit virtual_transport(std::shared_ptr<world> w) : world_(std::move(w)) {}

    time_point now() noexcept override { return world_->now; }
    wall_time wall_now() noexcept override {
        return virtual_wall_beginning + std::min(world_->elapsed(), wall_time::max() - virtual_wall_beginning);
    }
    double chance() noexcept override { return world_->random ? world_->random->unit() : world_->chance; }

    void start(ticket& t, const request& q, const transfer_limits& l) override {
        if (error bad = r2::detail::check_url(q.url)) {
            transfers_.push_back({{&t, now()}, attempt(std::move(bad))});
            return;
        }
        world_->requests.push_back(q);
        if (world_->script.empty())
            throw std::logic_error("fake_client: the script has no step for " + world_->name_of_last_request());
        const duration after = world_->script.front().after;
        transfers_.push_back({{&t, r2::detail::later(now(), after)}, next_outcome(q, l)});
    }

    std::optional<completion> wait_until(time_point until) override {
        const bool sleeping = transfers_.empty();
        const time_point from = now();
        std::optional<completion> complete;
        while (!(complete = complete_by(now())) && !woken_.exchange(false) && now() < until) advance(until);
        if (sleeping && now() > from) world_->waits.push_back(now() - from);
        return complete;
    }

    attempt take(ticket& t) override { return extract(t).outcome; }

    int cancel(ticket& t) noexcept override { return extract(t).outcome.sends(); }

    void wake() noexcept override { woken_ = true; }

private:
    struct transfer {
        completion self;
        attempt outcome;
    };

    attempt next_outcome(const request& q, const transfer_limits& l) {
        step& s = world_->script.front();
        const auto outcome_of = s.outcome_of;  // a copy, as the callable may lengthen the script
        if (!s.forever && --s.times == 0)
            world_->script.pop_front();
        else if (s.forever)
            s.times = 0;
        attempt a = (*outcome_of)(q).attempt();
        if (!a.response() || a.response()->body.size() <= l.max_body) return a;
        return outcome(error(errc::too_large, "over " + std::to_string(l.max_body) + " bytes", sent::maybe)).attempt();
    }

    std::optional<completion> complete_by(time_point t) const {
        for (const transfer& each : transfers_)
            if (each.self.at <= t) return each.self;
        return std::nullopt;
    }

    /// Moves the clock to the next completion or event, at most to `until`.
    void advance(time_point until) {
        time_point next = until;
        for (const transfer& each : transfers_) next = std::min(next, each.self.at);
        if (!world_->events.empty() && world_->events.begin()->first <= next) return world_->run_next_event();
        if (next == r2::detail::never)
            throw std::logic_error(transfers_.empty()
                                       ? "fake_client: a wait that never ends"
                                       : "fake_client: nothing ends the hanging " + world_->name_of_last_request());
        world_->now = next;
    }

    transfer extract(ticket& ticket) noexcept {
        const auto place =
            std::find_if(transfers_.begin(), transfers_.end(), [&ticket](auto& t) { return t.self.which == &ticket; });
        transfer t = std::move(*place);
        transfers_.erase(place);
        return t;
    }

    std::shared_ptr<world> world_;
    std::vector<transfer> transfers_;
    std::atomic<bool> woken_ = false;
};

/// Makes transports that share one world.
class virtual_transport_pool final : public r2::detail::transport_pool {
public:
    explicit virtual_transport_pool(std::shared_ptr<world> w) : world_(std::move(w)) {}

    std::unique_ptr<r2::detail::transport> take() override { return std::make_unique<virtual_transport>(world_); }
    void give_back(std::unique_ptr<r2::detail::transport>) noexcept override {}
    r2::detail::latency_log& latencies() noexcept override { return latencies_; }

private:
    r2::detail::latency_log latencies_;
    std::shared_ptr<world> world_;
};

}  // namespace r2::inline v0_2::testing::detail
