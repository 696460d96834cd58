#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "r2/policy/predicates.hpp"
#include "r2/policy/retry_budget.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Rounds to a millionth, so that ten times 0.1 is 1.
inline double rounded_tokens(double tokens) noexcept { return std::round(tokens * 1e6) / 1e6; }

inline std::string tokens_text(double tokens) {
    std::array<char, 32> digits;
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), tokens).ptr};
}

}  // namespace detail

R2_INLINE retry_budget::retry_budget(retry_budget_options o, scope s)
    : options_(o), buckets_(s, bucket{.tokens = std::min(o.initial, o.capacity)}) {}

R2_INLINE std::shared_ptr<retry_budget> retry_budget::aws(scope s) {
    return std::make_shared<retry_budget>(retry_budget_options{}, s);
}

R2_INLINE std::shared_ptr<retry_budget> retry_budget::aws_legacy(scope s) {
    const retry_budget_options o{.retry_cost = 5, .throttled_cost = 5, .timeout_cost = 10};
    return std::make_shared<retry_budget>(o, s);
}

R2_INLINE std::shared_ptr<retry_budget> retry_budget::grpc(scope s) {
    const retry_budget_options o{
        .capacity = 10, .retry_cost = 0, .throttled_cost = 0, .success_credit = 0.1, .failure_cost = 1, .stop_at = 5};
    return std::make_shared<retry_budget>(o, s);
}

R2_INLINE std::shared_ptr<retry_budget> retry_budget::ratio(double r, scope s) {
    const retry_budget_options o{.capacity = std::numeric_limits<double>::infinity(),
                                 .initial = 100,
                                 .retry_cost = 1,
                                 .throttled_cost = 1,
                                 .refund = false,
                                 .success_credit = 0,
                                 .request_credit = r,
                                 .window = std::chrono::seconds(10)};
    return std::make_shared<retry_budget>(o, s);
}

R2_INLINE double retry_budget::tokens(std::string_view url, time_point now) {
    const request q{.url = std::string(url)};
    const std::lock_guard lock(mutex_);
    bucket b = buckets_.of(q);  // a copy: a query changes nothing
    forget_old(b, now);
    return std::max(0.0, std::min(b.tokens, options_.capacity));
}

R2_INLINE admission retry_budget::admit(const request& q, int number, time_point now) {
    return number > 1 ? admit_retry(q, options_.retry_cost, now) : admission::go();
}

R2_INLINE admission retry_budget::admit_next(const request& q, const attempt& before, time_point now) {
    return detail::is_success(before) ? admission::go() : admit_retry(q, cost_after(before), now);
}

R2_INLINE void retry_budget::record_of(const request& q, const attempt& a, time_point now) {
    const bool success = detail::is_success(a);
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

R2_INLINE void retry_budget::cancel(const request& q, time_point now) {
    const std::lock_guard lock(mutex_);
    if (const taken own = settle(q); own.cost > 0) change(bucket_of(q, now), own.cost, own.tick);
}

R2_INLINE double retry_budget::cost_after(const attempt& before) const {
    if (throttled(before)) return options_.throttled_cost;
    return before.error() == errc::timeout ? options_.timeout_cost : options_.retry_cost;
}

R2_INLINE admission retry_budget::admit_retry(const request& q, double cost, time_point now) {
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

/// Returns and forgets the cost of this request's attempt. The request's address identifies the attempt.
R2_INLINE retry_budget::taken retry_budget::settle(const request& q) {
    const auto found = taken_.find(&q);
    if (found == taken_.end()) return {};
    const taken own = found->second;
    taken_.erase(found);
    return own;
}

R2_INLINE retry_budget::bucket& retry_budget::bucket_of(const request& q, time_point now) {
    return forget_old(buckets_.of(q), now);
}

/// Undoes the changes that have left the window.
R2_INLINE retry_budget::bucket& retry_budget::forget_old(bucket& b, time_point now) const {
    if (options_.window <= duration{}) return b;
    const std::int64_t tick = now.time_since_epoch() / std::max(options_.window / ticks, duration(1));
    for (std::int64_t t = std::max(b.tick, tick - ticks) + 1; t <= tick; ++t) {
        double& old = b.changes[static_cast<std::size_t>(t % ticks)];
        b.tokens = detail::rounded_tokens(b.tokens - std::exchange(old, 0.0));
    }
    b.tick = std::max(b.tick, tick);
    return b;
}

/// Adds tokens, as of `tick`. Never fills the bucket above its capacity, nor empties it below 0.
R2_INLINE void retry_budget::change(bucket& b, double by, std::int64_t tick) const {
    if (by >= 0 && b.tokens >= options_.capacity) return;
    if (b.tick - tick >= ticks) return;  // a refund of a cost that has left the window
    const double sum = detail::rounded_tokens(b.tokens + by);
    const double after = std::max(std::min(b.tokens, 0.0), std::min(sum, options_.capacity));
    b.changes[static_cast<std::size_t>(tick % ticks)] += after - b.tokens;
    b.tokens = after;
}

R2_INLINE std::string retry_budget::refusal(double left, double cost) const {
    using detail::tokens_text;
    const std::string of = std::isinf(options_.capacity) ? "" : " of " + tokens_text(options_.capacity);
    const std::string why =
        left < cost ? "costs " + tokens_text(cost) : "needs more than " + tokens_text(options_.stop_at);
    return "retry budget: " + tokens_text(left) + of + " tokens left, a retry " + why;
}

}  // namespace r2::inline v0_2
