#pragma once

#include <chrono>
#include <concepts>
#include <optional>

#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// A percentile of the latency of the same origin, as `hedge_policy::after`. The samples are the newest 256 originals
/// of attempts that this client hedged by a percentile. An original that lost or timed out counts with its time until
/// then; a failed one doesn't count.
struct percentile {
    constexpr explicit percentile(double of_samples, duration otherwise = duration::max(), int min = 20) noexcept
        : share(of_samples), fallback(otherwise), min_samples(min) {}

    double share;       ///< In [0, 1].
    duration fallback;  ///< Used with fewer than `min_samples`. By default only a failure sends a copy then.
    int min_samples;    ///< At most 256.
};

/// The wait before the next copy of a hedged attempt: a duration or a `percentile`. Zero or less is at once.
class hedge_delay {
public:
    /// At once.
    constexpr hedge_delay() = default;
    template <std::convertible_to<duration> D> constexpr hedge_delay(D d) noexcept : fixed_(d) {}
    constexpr hedge_delay(const percentile& p) noexcept : percentile_(p) {}

    constexpr duration fixed() const noexcept { return fixed_; }
    constexpr const std::optional<r2::percentile>& percentile() const noexcept { return percentile_; }

private:
    duration fixed_ = {};
    std::optional<r2::percentile> percentile_;
};

/// Hedging (gRPC A6): an attempt sends further copies of its request while no response has come. Each copy goes out
/// `after` the one before it, or at once when a copy fails in a way that `retry_if` would retry, but never before a
/// Retry-After is over. The first other outcome is the attempt's outcome. A copy that fails with
/// `errc::local` doesn't end the others. The attempt fails when all copies have failed.
///
/// Guards are asked for each copy by `guard::admit`; one that refuses stops further copies only. A copy is the request
/// as `before_attempt` left it. `timeout` limits the whole attempt.
struct hedge_policy {
    int copies = 0;          ///< Without the original, at most 5. Zero or negative: no hedging.
    hedge_delay after = {};  ///< The wait before each copy. Not set: all go out at once.

    /// Hedges methods that aren't idempotent too. An Idempotency-Key alone isn't enough: servers respond
    /// 409 to a second copy while they work on the first.
    bool unsafe = false;

    /// How long copies that lost may finish in the background, to keep their connections; then they are cut. They make
    /// progress while their client is used. Zero or negative: they are cut at once.
    duration drain = std::chrono::milliseconds(100);
};

}  // namespace r2::inline v0_2
