#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "r2/engine.hpp"
#include "r2/words/chance.hpp"

namespace r2::testing {

/// A world without sockets or sleeping: answers are scripted, and waiting moves a clock of its own. For one thread.
class virtual_world {
public:
    /// What comes of one transfer.
    struct step {
        std::variant<response, error> outcome;
        duration after = {};  ///< From the start to the outcome; `duration::max()`: never.
        int sends = 1;        ///< How often the request is put on the wire, all at the start.
    };

    /// The outcome of the next transfer that has none yet. One for which nothing is left fails, and says so.
    virtual_world& then(step s) {
        script_.push_back(std::move(s));
        return *this;
    }
    virtual_world& reply(response res, duration after = {}) { return then({std::move(res), after}); }
    virtual_world& reply(int status, duration after = {}) { return reply(response{.status = status}, after); }
    virtual_world& fail(error err, duration after = {}) {
        const int sends = err.sent() == sent::maybe ? 1 : 0;
        return then({std::move(err), after, sends});
    }
    virtual_world& hang(int sends = 1) { return then({error(errc::local), duration::max(), sends}); }

    /// Calls `f` when that much time has passed since the beginning, if somebody waits for so long.
    void at(duration since_beginning, std::function<void()> f) {
        events_.emplace(beginning + since_beginning, std::move(f));
    }

    /// Lets time pass, as the body of a loop does.
    void spend(duration d) { now_ += d; }

    /// The chance that every jitter gets, in [0, 1); 0.5 unless set.
    void set_chance(double u) { chance_ = u; }

    duration elapsed() const noexcept { return now_ - beginning; }
    wall_time wall_now() const noexcept { return wall_beginning + elapsed(); }

    /// Every request that was started, as it was sent.
    const std::vector<request>& requests() const noexcept { return requests_; }

    /// How long each sleep was, in order.
    const std::vector<duration>& waits() const noexcept { return waits_; }

    static constexpr time_point beginning = time_point(std::chrono::hours(24));
    static constexpr wall_time wall_beginning = wall_time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));

private:
    friend class virtual_engine;

    std::deque<step> script_;
    std::multimap<time_point, std::function<void()>> events_;
    std::vector<request> requests_;
    std::vector<duration> waits_;
    time_point now_ = beginning;
    double chance_ = 0.5;
};

/// An engine in a virtual world.
class virtual_engine final : public engine {
public:
    explicit virtual_engine(std::shared_ptr<virtual_world> world) : world_(std::move(world)) {}

    time_point now() noexcept override { return world_->now_; }
    wall_time wall_now() noexcept override { return world_->wall_now(); }
    double chance() noexcept override { return world_->chance_; }

    transfer_id start(const request& q, const limits&) override {
        world_->requests_.push_back(q);
        const transfer_id id{++last_id_};
        transfers_.emplace(id, transfer{next_step(q), now()});
        return id;
    }

    std::optional<transfer_id> wait_until(time_point until) override {
        const bool sleeping = transfers_.empty();
        const time_point from = now();
        std::optional<transfer_id> complete;
        while (!(complete = complete_by(now())) && !woken_.exchange(false) && now() < until) advance(until);
        if (sleeping) world_->waits_.push_back(now() - from);
        return complete;
    }

    void take(transfer_id id, std::optional<attempt>& into) override {
        auto node = transfers_.extract(id);
        step& s = node.mapped().script;
        std::visit([&](auto& outcome) { into.emplace(std::move(outcome), s.sends); }, s.outcome);
    }

    int cancel(transfer_id id) noexcept override { return transfers_.extract(id).mapped().script.sends; }

    void wake() noexcept override { woken_ = true; }

private:
    using step = virtual_world::step;

    struct transfer {
        step script;
        time_point began;

        time_point ends() const noexcept { return later(began, script.after); }
    };

    step next_step(const request& q) {
        if (world_->script_.empty())
            return {error(errc::local, "the script has no answer to request " +
                                           std::to_string(world_->requests_.size()) + ", " + q.method + " " + q.url)};
        step s = std::move(world_->script_.front());
        world_->script_.pop_front();
        return s;
    }

    std::optional<transfer_id> complete_by(time_point t) const {
        for (const auto& [id, each] : transfers_)
            if (each.ends() <= t) return id;
        return std::nullopt;
    }

    /// On to whatever comes next, at most to `until`.
    void advance(time_point until) {
        time_point next = until;
        for (const auto& [id, each] : transfers_) next = std::min(next, each.ends());
        if (!world_->events_.empty() && world_->events_.begin()->first <= next) {
            auto event = world_->events_.extract(world_->events_.begin());
            world_->now_ = std::max(now(), event.key());
            return event.mapped()();
        }
        if (next == never) throw std::logic_error("waiting for what never comes");
        world_->now_ = next;
    }

    std::shared_ptr<virtual_world> world_;
    std::map<transfer_id, transfer> transfers_;
    std::uint64_t last_id_ = 0;
    std::atomic<bool> woken_ = false;
};

/// Engines in one virtual world.
class virtual_pool final : public engine_pool {
public:
    explicit virtual_pool(std::shared_ptr<virtual_world> world) : world_(std::move(world)) {}

    std::unique_ptr<engine> take() override { return std::make_unique<virtual_engine>(world_); }
    void give_back(std::unique_ptr<engine>) noexcept override {}

private:
    std::shared_ptr<virtual_world> world_;
};

}  // namespace r2::testing
