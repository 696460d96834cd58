#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "r2/policy/circuit_breaker.hpp"
#include "r2/policy/predicates.hpp"

namespace r2::inline v0_2 {

R2_INLINE circuit_breaker::circuit_breaker(circuit_breaker_options o, scope s)
    : options_(checked(std::move(o))),
      breakers_(s, breaker{.ring = std::vector<tally>(static_cast<std::size_t>(options_.window))}) {}

R2_INLINE circuit circuit_breaker::state(std::string_view url) {
    const request q{.url = std::string(url)};
    const std::lock_guard lock(mutex_);
    return breakers_.of(q).state;
}

R2_INLINE admission circuit_breaker::admit(const request& q, int, time_point now) {
    std::unique_lock lock(mutex_);
    breaker& b = breakers_.of(q);
    if (b.state == circuit::closed) return admission::go();
    const time_point ends = detail::later(b.since, options_.open_for);
    if (b.state == circuit::open && now < ends)
        return admission::refuse("circuit breaker is open for another " + r2::to_string(ends - now));
    if (b.probe && now < ends) return admission::refuse("circuit breaker is half-open, with a probe in flight");
    if (b.state == circuit::open) change(b, circuit::half_open, now);
    b.since = std::max(b.since, now);  // a probe that takes longer than `open_for` is replaced
    b.probe = &q;
    try {
        announce(std::move(lock));
    } catch (...) {  // this attempt is not admitted, so nobody else settles it
        cancel(q, now);
        throw;
    }
    return admission::go();
}

R2_INLINE void circuit_breaker::record_of(const request& q, const attempt& a, time_point now) {
    const judgement outcome = judge(q, a, now);
    std::unique_lock lock(mutex_);
    breaker& b = breakers_.of(q);
    if (b.probe == &q) {
        b.probe = nullptr;
        if (outcome == judgement::success) change(b, circuit::closed, now);
        if (outcome == judgement::failure) change(b, circuit::open, now);
    } else if (b.state == circuit::closed && outcome != judgement::neither && now - a.elapsed() >= b.since) {
        // An attempt that began before the breaker closed shows nothing of the server since then.
        count(b, outcome == judgement::failure, now);
        if (too_many(b.total)) change(b, circuit::open, now);
    }
    announce(std::move(lock));
}

R2_INLINE void circuit_breaker::cancel(const request& q, time_point) {
    const std::lock_guard lock(mutex_);
    if (breaker& b = breakers_.of(q); b.probe == &q) b.probe = nullptr;
}

R2_INLINE circuit_breaker_options circuit_breaker::checked(circuit_breaker_options o) {
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

R2_INLINE circuit_breaker::judgement circuit_breaker::judge(const request& q, const attempt& a, time_point now) try {
    for (const errc own : {errc::stopped, errc::refused, errc::local, errc::invalid_request, errc::body_unreadable})
        if (a.error() == own) return judgement::neither;
    if (options_.failure(a)) return judgement::failure;
    return a.response() ? judgement::success : judgement::neither;
} catch (...) {  // `failure` threw
    cancel(q, now);
    throw;
}

R2_INLINE bool circuit_breaker::too_many(const tally& t) const noexcept {
    return t.attempts >= options_.minimum_throughput &&
           static_cast<double>(t.failures) / t.attempts >= options_.failure_rate;
}

R2_INLINE void circuit_breaker::count(breaker& b, bool failed, time_point now) const {
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
    for (tally* each : {&slot(tick), &b.total}) {
        ++each->attempts;
        each->failures += failed;
    }
}

R2_INLINE void circuit_breaker::change(breaker& b, circuit to, time_point now) {
    if (options_.on_change) changes_.emplace_back(b.state, to);
    b.state = to;
    b.since = now;
    b.total = {};
    std::fill(b.ring.begin(), b.ring.end(), tally{});
}

/// Calls `on_change` without the lock. One thread at a time does so, for the changes of all threads, which keeps their
/// order.
R2_INLINE void circuit_breaker::announce(std::unique_lock<std::mutex> lock) {
    while (!announcing_ && !changes_.empty()) {
        const auto [from, to] = changes_.front();
        changes_.erase(changes_.begin());
        announcing_ = true;
        lock.unlock();
        try {
            options_.on_change(from, to);
        } catch (...) {  // the next change announces the rest
            announcing_ = false;
            throw;
        }
        lock.lock();
        announcing_ = false;
    }
}

}  // namespace r2::inline v0_2
