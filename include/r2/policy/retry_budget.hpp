#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"
#include "r2/policy/predicates.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

/// What a `retry_budget` takes and gives, in tokens, none of them below 0. As it stands: `retry_budget::aws()`.
struct retry_budget_options {
    double capacity = 500;             ///< Held at most; may be infinite.
    double initial = capacity;         ///< Held at first.
    double retry_cost = 14;            ///< Taken by a retry, which is refused where there is less.
    double throttled_cost = 5;         ///< The same after an answer that is `throttled`.
    double timeout_cost = retry_cost;  ///< The same after `errc::timeout`.
    bool refund = true;                ///< A retry that succeeds, with a status below 400, gives back what it took.
    double success_credit = 1;         ///< Added by a success that took nothing: a first attempt's, a poll's.
    double failure_cost = 0;    ///< Lost with each failure that is `transient` or `throttled`, while there is some.
    double request_credit = 0;  ///< Added by each attempt that took nothing, whatever came of it.
    double stop_at = 0;         ///< Retries are refused while it holds this or less. 0: no such limit.
    duration window = {};       ///< What was added or taken so long ago, to a tenth, is undone. Not set: never.
};

/// Keeps the retries of many ranges to a small part of their load, so that a server that fails isn't held down by them:
/// a bucket of tokens that retries take and successes fill. First attempts and polls, which follow a status below 400,
/// cost nothing and are never refused. Thread-safe.
class retry_budget final : public guard {
public:
    explicit retry_budget(retry_budget_options o, scope s = scope::origin)
        : options_(o), buckets_(s, bucket{.tokens = std::min(o.initial, o.capacity)}) {}

    /// AWS's since 2026: of 500 tokens, a retry takes 14, and 5 after a throttling answer, until it succeeds; a success
    /// at first try adds 1.
    static std::shared_ptr<retry_budget> aws(scope s = scope::origin) {
        return std::make_shared<retry_budget>(retry_budget_options{}, s);
    }

    /// AWS's before: a retry takes 5, and 10 after a timeout.
    static std::shared_ptr<retry_budget> aws_legacy(scope s = scope::origin) {
        const retry_budget_options o{.retry_cost = 5, .throttled_cost = 5, .timeout_cost = 10};
        return std::make_shared<retry_budget>(o, s);
    }

    /// gRPC's (proposal A6): of 10 tokens, a failure takes 1 and a success adds 0.1; retries only with more than 5.
    static std::shared_ptr<retry_budget> grpc(scope s = scope::origin) {
        retry_budget_options o{.capacity = 10, .retry_cost = 0, .throttled_cost = 0, .success_credit = 0.1};
        o.failure_cost = 1, o.stop_at = 5;
        return std::make_shared<retry_budget>(o, s);
    }

    /// Finagle's and tower's: within any 10 s, r retries for each request and 100 more, which is 10 a second.
    static std::shared_ptr<retry_budget> ratio(double r, scope s = scope::origin) {
        retry_budget_options o{.capacity = std::numeric_limits<double>::infinity(), .initial = 100};
        o.retry_cost = o.throttled_cost = o.timeout_cost = 1;
        o.refund = false, o.success_credit = 0, o.request_credit = r;
        o.window = std::chrono::seconds(10);
        return std::make_shared<retry_budget>(o, s);
    }

    /// Tokens left for the origin of this URL; with `scope::global`, for all.
    double tokens(std::string_view url = {}, time_point now = std::chrono::steady_clock::now()) {
        const request q{.url = std::string(url)};
        const std::lock_guard lock(mutex_);
        bucket b = buckets_.of(q);  // a copy: a look changes nothing
        forget_old(b, now);
        return std::max(0.0, std::min(b.tokens, options_.capacity));
    }

    admission admit(const request& q, int number, time_point now) override {
        return number > 1 ? admit_retry(q, options_.retry_cost, now) : admission::go();
    }

    admission admit_next(const request& q, const attempt& before, time_point now) override {
        return succeeded(before) ? admission::go() : admit_retry(q, cost_after(before), now);
    }

    void record_of(const request& q, const attempt& a, time_point now) override {
        const bool success = succeeded(a);
        const bool failure = transient(a) || throttled(a);
        const std::lock_guard lock(mutex_);
        const taken own = settle(q);
        bucket& b = bucket_of(q, now);
        if (own.cost == 0) change(b, options_.request_credit, b.tick);
        if (failure) change(b, -std::max(options_.failure_cost, 0.0), b.tick);
        if (!success) return;
        if (own.cost == 0)
            change(b, options_.success_credit, b.tick);
        else if (options_.refund)
            change(b, own.cost, own.tick);
    }

    void cancel(const request& q, time_point now) override {
        const std::lock_guard lock(mutex_);
        if (const taken own = settle(q); own.cost > 0) change(bucket_of(q, now), own.cost, own.tick);
    }

private:
    static constexpr std::int64_t ticks = 10;  // in a window

    struct bucket {
        double tokens;                           // below 0 where what was added is forgotten before what it paid for
        std::array<double, ticks> changes = {};  // of each tick in the window
        std::int64_t tick = 0;
    };

    /// By an attempt of which nothing was heard yet.
    struct taken {
        double cost = 0;
        std::int64_t tick = 0;
    };

    static bool succeeded(const attempt& a) noexcept { return a.response() && a.response()->status < 400; }

    double cost_after(const attempt& before) const {
        if (throttled(before)) return options_.throttled_cost;
        return before.error() == errc::timeout ? options_.timeout_cost : options_.retry_cost;
    }

    admission admit_retry(const request& q, double cost, time_point now) {
        std::unique_lock lock(mutex_);
        bucket& b = bucket_of(q, now);
        if (b.tokens < cost || (options_.stop_at > 0 && b.tokens <= options_.stop_at)) {
            const double left = std::max(b.tokens, 0.0);
            lock.unlock();
            return admission::refuse(refusal(left, cost));
        }
        if (cost > 0) {
            taken_.emplace(&q, taken{cost, b.tick});
            change(b, -cost, b.tick);
        }
        return admission::go();
    }

    /// What this request's attempt took. The address tells it: each admission is settled once, by the same object.
    taken settle(const request& q) {
        const auto found = taken_.find(&q);
        if (found == taken_.end()) return {};
        const taken own = found->second;
        taken_.erase(found);
        return own;
    }

    bucket& bucket_of(const request& q, time_point now) { return forget_old(buckets_.of(q), now); }

    bucket& forget_old(bucket& b, time_point now) const {
        if (options_.window <= duration{}) return b;
        const std::int64_t tick = now.time_since_epoch() / std::max(options_.window / ticks, duration(1));
        for (std::int64_t t = std::max(b.tick, tick - ticks) + 1; t <= tick; ++t) {
            double& old = b.changes[static_cast<std::size_t>(t % ticks)];
            b.tokens = rounded(b.tokens - std::exchange(old, 0.0));
        }
        b.tick = std::max(b.tick, tick);
        return b;
    }

    void change(bucket& b, double by, std::int64_t tick) const {
        if (by >= 0 && b.tokens >= options_.capacity) return;
        if (b.tick - tick >= ticks) return;  // gives back what has been forgotten already
        const double after = std::max(std::min(b.tokens, 0.0), std::min(rounded(b.tokens + by), options_.capacity));
        b.changes[static_cast<std::size_t>(tick % ticks)] += after - b.tokens;
        b.tokens = after;
    }

    /// To the millionth, so that ten times a tenth is one.
    static double rounded(double tokens) noexcept { return std::round(tokens * 1e6) / 1e6; }

    std::string refusal(double left, double cost) const {
        const std::string of = std::isinf(options_.capacity) ? "" : " of " + text(options_.capacity);
        const std::string why = left < cost ? "costs " + text(cost) : "needs more than " + text(options_.stop_at);
        return "retry budget: " + text(left) + of + " tokens left, a retry " + why;
    }

    static std::string text(double tokens) {
        std::array<char, 32> digits;
        return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), tokens).ptr};
    }

    const retry_budget_options options_;
    std::mutex mutex_;
    detail::by_origin<bucket> buckets_;
    std::unordered_multimap<const request*, taken> taken_;
};

}  // namespace r2::inline v0_2
