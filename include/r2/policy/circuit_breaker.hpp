#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"
#include "r2/policy/predicates.hpp"

namespace r2::inline v0_2 {

enum class circuit {
    closed,     ///< All attempts may start.
    open,       ///< None may.
    half_open,  ///< One at a time may, as a probe.
};

constexpr std::string_view to_string(circuit c) noexcept {
    switch (c) {
        case circuit::closed:
            return "closed";
        case circuit::open:
            return "open";
        case circuit::half_open:
            return "half_open";
    }
    return "unknown";
}

/// When a `circuit_breaker` opens and closes. A value out of its range means the default. The callables may be called
/// by several threads at once, and live as long as the breaker.
struct circuit_breaker_options {
    double failure_rate = 0.5;        ///< Opens it, from this part of the attempts on; in (0, 1].
    int window = 100;                 ///< How many of the last attempts are judged.
    duration sampling_duration = {};  ///< Judges those of so long a time instead, to a tenth. Not set: by number.
    int minimum_throughput = 10;      ///< Attempts to be seen before it may open; at most a `window`, if that counts.
    duration open_for = std::chrono::seconds(30);  ///< From opening to the first probe.
    predicate failure = {};                        ///< Not set: `transient`.

    /// Called after each change, in order, one at a time, by the thread of a range, whose loop gets what it throws. May
    /// ask the breaker.
    std::function<void(circuit from, circuit to)> on_change = {};
};

/// Sends nothing to a server that fails, but for a probe now and then. A failure is what the options say, a success any
/// other response; neither are errors of this side (stopped, refused, local, invalid_request, body_unreadable), and
/// others that are no failure. A probe that is neither makes room for the next, as does one
/// that isn't over after `open_for`. Thread-safe.
class circuit_breaker final : public guard {
public:
    explicit circuit_breaker(circuit_breaker_options o = {}, scope s = scope::origin)
        : options_(checked(std::move(o))),
          breakers_(s, breaker{.ring = std::vector<tally>(static_cast<std::size_t>(options_.window))}) {}

    /// For the origin of this URL; with `scope::global`, for all. Stays `open` until a request comes to be the probe.
    circuit state(std::string_view url = {}) {
        const request q{.url = std::string(url)};
        const std::lock_guard lock(mutex_);
        return breakers_.of(q).state;
    }

    admission admit(const request& q, int, time_point now) override {
        std::unique_lock lock(mutex_);
        breaker& b = breakers_.of(q);
        if (b.state == circuit::closed) return admission::go();
        const time_point ends = detail::later(b.since, options_.open_for);
        if (b.state == circuit::open && now < ends)
            return admission::refuse("circuit breaker is open for another " + r2::to_string(ends - now));
        if (b.probe && now < ends) return admission::refuse("circuit breaker is half-open, with a probe on its way");
        if (b.state == circuit::open) change(b, circuit::half_open, now);
        b.since = std::max(b.since, now);  // of a probe that is not over after `open_for`, another takes the place
        b.probe = &q;
        try {
            announce(std::move(lock));
        } catch (...) {  // what isn't admitted hears of it no more
            cancel(q, now);
            throw;
        }
        return admission::go();
    }

    void record_of(const request& q, const attempt& a, time_point now) override {
        const judgement said = judge(q, a, now);
        std::unique_lock lock(mutex_);
        breaker& b = breakers_.of(q);
        if (b.probe == &q) {
            b.probe = nullptr;
            if (said == judgement::success) change(b, circuit::closed, now);
            if (said == judgement::failure) change(b, circuit::open, now);
        } else if (b.state == circuit::closed && said != judgement::neither && now - a.elapsed() >= b.since) {
            // what began before it closed says nothing of the server since
            count(b, said == judgement::failure, now);
            if (too_many(b.total)) change(b, circuit::open, now);
        }
        announce(std::move(lock));
    }

    void cancel(const request& q, time_point) override {
        const std::lock_guard lock(mutex_);
        if (breaker& b = breakers_.of(q); b.probe == &q) b.probe = nullptr;
    }

private:
    enum class judgement { success, failure, neither };

    struct tally {
        int attempts = 0;
        int failures = 0;
    };

    /// Attempts are counted in a ring of slots: one for each attempt, or one for each tenth of the sampling duration.
    struct breaker {
        circuit state = circuit::closed;
        time_point since = time_point::min();
        const request* probe = nullptr;  // its address tells it: it is recorded or cancelled once, by the same object
        tally total = {};
        std::vector<tally> ring = {};
        std::int64_t tick = 0;
    };

    static circuit_breaker_options checked(circuit_breaker_options o) {
        const circuit_breaker_options usual;
        if (!(o.failure_rate > 0 && o.failure_rate <= 1)) o.failure_rate = usual.failure_rate;
        if (o.window <= 0) o.window = usual.window;
        if (o.minimum_throughput <= 0) o.minimum_throughput = usual.minimum_throughput;
        if (o.sampling_duration > duration{})
            o.window = 10;  // slots, of a tenth of it each
        else
            o.minimum_throughput = std::min(o.minimum_throughput, o.window);
        if (o.open_for <= duration{}) o.open_for = usual.open_for;
        if (!static_cast<bool>(o.failure)) o.failure = transient;
        return o;
    }

    judgement judge(const request& q, const attempt& a, time_point now) try {
        for (const errc own : {errc::stopped, errc::refused, errc::local, errc::invalid_request, errc::body_unreadable})
            if (a.error() == own) return judgement::neither;
        if (options_.failure(a)) return judgement::failure;
        return a.response() ? judgement::success : judgement::neither;
    } catch (...) {  // the user's predicate did
        cancel(q, now);
        throw;
    }

    bool too_many(const tally& t) const noexcept {
        return t.attempts >= options_.minimum_throughput &&
               static_cast<double>(t.failures) / t.attempts >= options_.failure_rate;
    }

    void count(breaker& b, bool failed, time_point now) const {
        const auto slots = static_cast<std::int64_t>(b.ring.size());
        const auto slot = [&](std::int64_t t) -> tally& { return b.ring[static_cast<std::size_t>(t % slots)]; };
        const duration tenth = std::max(options_.sampling_duration / 10, duration(1));
        const bool by_time = options_.sampling_duration > duration{};
        const std::int64_t tick = by_time ? std::max(b.tick, now.time_since_epoch() / tenth) : b.tick + 1;
        for (std::int64_t t = std::max(b.tick, tick - slots) + 1; t <= tick; ++t) {
            const tally old = std::exchange(slot(t), {});
            b.total.attempts -= old.attempts;
            b.total.failures -= old.failures;
        }
        b.tick = tick;
        for (tally* each : {&slot(tick), &b.total}) ++each->attempts, each->failures += failed;
    }

    void change(breaker& b, circuit to, time_point now) {
        if (options_.on_change) changes_.emplace_back(b.state, to);
        b.state = to;
        b.since = now;
        b.total = {};
        std::fill(b.ring.begin(), b.ring.end(), tally{});
    }

    /// Calls `on_change` without the lock. A thread that is at it takes on what others add, which keeps the order.
    void announce(std::unique_lock<std::mutex> lock) {
        while (!announcing_ && !changes_.empty()) {
            const auto [from, to] = changes_.front();
            changes_.pop_front();
            announcing_ = true;
            lock.unlock();
            try {
                options_.on_change(from, to);
            } catch (...) {  // what is left is announced with the next change
                announcing_ = false;
                throw;
            }
            lock.lock();
            announcing_ = false;
        }
    }

    const circuit_breaker_options options_;
    std::mutex mutex_;
    detail::by_origin<breaker> breakers_;
    std::deque<std::pair<circuit, circuit>> changes_;
    std::atomic<bool> announcing_ = false;
};

}  // namespace r2::inline v0_2
