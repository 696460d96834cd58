#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "r2/config.hpp"
#include "r2/policy/by_origin.hpp"
#include "r2/policy/guard.hpp"

namespace r2::inline v0_2 {

/// Costs and credits of a `retry_budget`, in tokens, none below 0. The defaults are `retry_budget::aws()`.
struct retry_budget_options {
    double capacity = 500;             ///< The most that it holds; may be infinite.
    double initial = capacity;         ///< Held at first.
    double retry_cost = 14;            ///< Taken by a retry. A retry is refused if there is less.
    double throttled_cost = 5;         ///< In place of `retry_cost` after a response that is `throttled`.
    double timeout_cost = retry_cost;  ///< In place of `retry_cost` after `errc::timeout`.
    bool refund = true;                ///< A retry that succeeds, with a status below 400, gives back its cost.
    double success_credit = 1;         ///< Added by a success that took nothing: of a first attempt or a poll.
    double failure_cost = 0;           ///< Lost with each failure that is `transient` or `throttled`; down to 0.
    double request_credit = 0;         ///< Added by each attempt that took nothing, whatever its outcome.
    double stop_at = 0;                ///< Retries are refused at this many tokens or fewer. 0: no such limit.
    duration window = {};              ///< Changes older than this are undone, to a tenth of it. Not set: none ever is.
};

/// Limits the retries of many ranges to a small part of their load, so that retries can't hold down a failing server.
/// Retries take tokens from a bucket, and successes fill it. First attempts, and polls after a status below 400, cost
/// nothing and are never refused. Thread-safe.
class retry_budget final : public guard {
public:
    explicit retry_budget(retry_budget_options o, scope s = scope::origin);

    /// Makes the budget of the AWS SDKs since 2026: 500 tokens. A retry takes 14, or 5 after a throttling response, and
    /// gives them back if it succeeds. A success at first try adds 1.
    static std::shared_ptr<retry_budget> aws(scope s = scope::origin);

    /// Makes the budget of the AWS SDKs before 2026: a retry takes 5, or 10 after a timeout.
    static std::shared_ptr<retry_budget> aws_legacy(scope s = scope::origin);

    /// Makes the budget of gRPC (proposal A6): 10 tokens. A failure takes 1 and a success adds 0.1. Retries need more
    /// than 5.
    static std::shared_ptr<retry_budget> grpc(scope s = scope::origin);

    /// Makes the budget of Finagle and tower: within any 10 s, allows `r` retries for each request, and 100 more.
    static std::shared_ptr<retry_budget> ratio(double r, scope s = scope::origin);

    /// Returns the tokens left for the origin of this URL; with `scope::global`, for all.
    double tokens(std::string_view url = {}, time_point now = std::chrono::steady_clock::now());

    // R2_INLINE here too: see config.hpp.
    R2_INLINE admission admit(const request& q, int number, time_point now) override;
    R2_INLINE admission admit_next(const request& q, const attempt& before, time_point now) override;
    R2_INLINE void record_of(const request& q, const attempt& a, time_point now) override;
    R2_INLINE void cancel(const request& q, time_point now) override;

private:
    static constexpr std::int64_t ticks = 10;  // in a window

    struct bucket {
        double tokens;                           // below 0 if a credit expires before the retry that it paid for
        std::array<double, ticks> changes = {};  // of each tick in the window
        std::int64_t tick = 0;
    };

    /// Taken by an attempt that isn't settled yet.
    struct taken {
        double cost = 0;
        std::int64_t tick = 0;
    };

    double cost_after(const attempt& before) const;
    admission admit_retry(const request& q, double cost, time_point now);
    taken settle(const request& q);
    bucket& bucket_of(const request& q, time_point now);
    bucket& forget_old(bucket& b, time_point now) const;
    void change(bucket& b, double by, std::int64_t tick) const;
    std::string refusal(double left, double cost) const;

    const retry_budget_options options_;
    std::mutex mutex_;
    detail::by_origin<bucket> buckets_;
    std::unordered_multimap<const request*, taken> taken_;
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/policy/retry_budget.ipp"
#endif
