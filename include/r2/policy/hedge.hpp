#pragma once

#include <chrono>
#include <concepts>
#include <optional>

#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// How long this share of a client's recent answers took at most: of the newest 256 from the same origin, each to the
/// original of an attempt that is hedged by a percentile. One that was overtaken or timed out counts with the time
/// until then; failures don't count.
struct percentile {
    constexpr explicit percentile(double of_answers, duration otherwise = duration::max(), int min = 20) noexcept
        : share(of_answers), fallback(otherwise), min_samples(min) {}

    double share;       ///< In [0, 1].
    duration fallback;  ///< While there are fewer samples. Not given: for ever, so that only a failure sends a copy.
    int min_samples;    ///< More than 256 are 256.
};

/// How long a hedged attempt waits for an answer before its next copy goes out: a duration, of which zero or less is
/// at once, or a `percentile`.
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

/// Copies of one request that race for the attempt, as in gRPC's proposal A6: each goes out `after` the one before it,
/// or at once when one fails in a way that may pass; never before a Retry-After is over. The first answer that is no
/// such failure is the attempt's; but what this machine lacks for one copy (`errc::local`) says nothing against the
/// others. Where all fail, the attempt does, and the loop goes on as ever.
///
/// Guards are asked for each copy as for a retry, and hear what became of it; one that refuses ends the sending of
/// copies, and no more. A copy is the attempt's request as `before_attempt` left it. `timeout` is that of the whole
/// attempt.
struct hedge_policy {
    int copies = 0;          ///< Beside the original, at most 5. Zero or negative: the attempt isn't hedged.
    hedge_delay after = {};  ///< Before each copy. Not set: all go at once.

    /// Hedges POST, PATCH and the like too; else only methods that are idempotent are: an Idempotency-Key makes a
    /// repeat safe, but servers answer 409 while the first is being worked on.
    bool unsafe = false;

    /// How long copies that lost may still come in, so that their connections live on: in the background, while their
    /// client is used. Then they are cut; zero or negative: at once.
    duration drain = std::chrono::milliseconds(100);
};

}  // namespace r2::inline v0_2
