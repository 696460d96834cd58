#pragma once

#include <algorithm>

#include "r2/policy/backoff.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// Spreads the waits at random, so that clients that failed together don't retry together. Applied after the cap of
/// `backoff`.
class jitter {
public:
    /// The delay itself.
    static constexpr jitter none() noexcept { return {kind::none}; }

    /// From 0 to the delay.
    static constexpr jitter full() noexcept { return {kind::full}; }

    /// From half the delay to the delay.
    static constexpr jitter equal() noexcept { return {kind::equal}; }

    /// The delay ± p·delay, `p` from 0 to 1.
    static constexpr jitter proportional(double p) noexcept { return {kind::proportional, {}, {}, p}; }

    /// From the delay to the delay + `most`. A `most` of 0 or less adds nothing.
    static constexpr jitter additive(duration most) noexcept { return {kind::additive, std::max(most, duration{})}; }

    /// From `base` to three times the previous wait, up to `cap`. Replaces `backoff`. A cap of 0 or less is none.
    static constexpr jitter decorrelated(duration base, duration cap = {}) noexcept {
        return {kind::decorrelated, base, cap};
    }

    /// Returns the wait for a backoff of `delay`. `previous` is the wait before, 0 at first; `u` is a random number in
    /// [0, 1).
    constexpr duration apply(duration delay, duration previous, double u) const noexcept {
        const auto d = static_cast<double>(delay.count());
        switch (kind_) {
            case kind::none:
                return delay;
            case kind::full:
                return detail::saturated(u * d);
            case kind::equal:
                return detail::saturated(d / 2 + u * d / 2);
            case kind::proportional:
                return detail::saturated(d - p_ * d + 2 * p_ * d * u);
            case kind::additive:
                return detail::saturated(d + u * static_cast<double>(base_.count()));
            case kind::decorrelated:
                break;
        }
        const auto base = static_cast<double>(base_.count());
        const auto before = previous > duration{} ? static_cast<double>(previous.count()) : base;
        return detail::capped(detail::saturated(base + u * (3 * before - base)), cap_);
    }

private:
    enum class kind { none, full, equal, proportional, additive, decorrelated };

    constexpr jitter(kind k, duration base = {}, duration cap = {}, double p = {}) noexcept
        : kind_(k), base_(base), cap_(cap), p_(p) {}

    kind kind_;
    duration base_;
    duration cap_;
    double p_;
};

}  // namespace r2::inline v0_2
