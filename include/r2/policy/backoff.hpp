#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Rounds to a duration within [0, duration::max()]; NaN is 0.
constexpr duration saturated(double nanoseconds) noexcept {
    if (!(nanoseconds > 0)) return {};
    if (nanoseconds >= 9223372036854775807.0) return duration::max();
    return duration(static_cast<duration::rep>(nanoseconds + 0.5));
}

constexpr double power(double x, int n) noexcept {
    double result = 1;
    for (; n > 0; n /= 2, x *= x)
        if (n % 2) result *= x;
    return result;
}

constexpr duration capped(duration d, duration cap) noexcept { return cap > duration{} ? std::min(d, cap) : d; }

constexpr duration exponential_delay(duration base, double factor, duration cap, int retry) noexcept {
    base = std::max(base, duration{});
    if (factor == 1) return capped(base, cap);
    return capped(saturated(static_cast<double>(base.count()) * power(factor, retry)), cap);
}

constexpr duration linear_delay(duration step, duration cap, int retry) noexcept {
    step = std::max(step, duration{});
    const duration::rep times = static_cast<duration::rep>(retry) + 1;
    return capped(step > duration::max() / times ? duration::max() : step * times, cap);
}

}  // namespace detail

/// Computes the wait before each retry, before jitter. Never overflows.
///
/// The strategies of other libraries are here:
///
/// Library: strategy | `backoff` | `jitter`
/// ---|---|---
/// pester: default | constant(1s) | none()
/// pester: exponential | exponential(2s) | none()
/// pester: exponential with jitter | exponential(2s) | proportional(0.33)
/// pester: linear | linear(1s) | none()
/// pester: linear with jitter | linear(1s) | proportional(0.33)
/// retry-go: fixed | constant(d) | none()
/// retry-go: random | constant(max) | full()
/// retry-go: backoff | exponential(d) | none()
/// retry-go: combine(backoff, random), its default | exponential(100ms) | additive(100ms)
/// retry-go: other combinations | a + b |
/// retry-go: full jitter | exponential(d, 2.0, max) | full()
/// go-retryablehttp: default | exponential(1s, 2.0, 30s) | none()
/// urllib3 (from its second retry on) | exponential(2 * factor, 2.0, 120s) | additive(jitter)
/// AWS SDK: standard | exponential(50ms, 2.0, 20s) | full()
class backoff {
public:
    /// base, base·factor, base·factor², … up to `cap`. A cap of 0 or less is none.
    static backoff exponential(duration base, double factor = 2.0, duration cap = {}) {
        return {kind::exponential, base, factor, cap};
    }

    /// step, 2·step, 3·step, … up to `cap`. A cap of 0 or less is none.
    static backoff linear(duration step, duration cap = {}) { return {kind::linear, step, {}, cap}; }

    static backoff constant(duration d) { return {kind::exponential, d, 1, {}}; }
    static backoff none() { return constant({}); }

    /// Calls `f` with the number of the retry, from 0. An exception of `f` reaches the loop.
    template <class F> static backoff custom(F f) {
        constexpr bool fits = std::is_invocable_r_v<duration, F&, int> && std::copy_constructible<F>;
        static_assert(fits, "backoff::custom takes a copyable callable on (int retry) that returns r2::duration");
        backoff b(kind::custom, {}, {}, {});
        if constexpr (fits) b.custom_ = std::move(f);
        return b;
    }

    /// Adds both waits.
    friend backoff operator+(backoff a, backoff b) {
        return custom(
            [a = std::move(a), b = std::move(b)](int retry) { return detail::sum(a.delay(retry), b.delay(retry)); });
    }

    /// Returns the wait before retry number `retry`, from 0. Never negative.
    duration delay(int retry) const {
        retry = std::max(retry, 0);
        switch (kind_) {
            case kind::exponential:
                return detail::exponential_delay(first_, factor_, cap_, retry);
            case kind::linear:
                return detail::linear_delay(first_, cap_, retry);
            case kind::custom:
                break;
        }
        return std::max(custom_(retry), duration{});
    }

private:
    enum class kind { exponential, linear, custom };

    backoff(kind k, duration first, double factor, duration cap)
        : kind_(k), first_(first), factor_(factor), cap_(cap) {}

    kind kind_;
    duration first_;
    double factor_;
    duration cap_;
    std::function<duration(int)> custom_;
};

}  // namespace r2::inline v0_2
