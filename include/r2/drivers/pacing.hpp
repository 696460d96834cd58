#pragma once

#include <algorithm>
#include <cstddef>

namespace r2::inline v0_2::detail {

/// When the scheduler starts attempts, and when it lets completions go before timers. A value without clock or I/O.
///
/// With many in flight several starts come together, after as many completions: both then run through the same code one
/// after the other, while the processor's caches have it. Under 128 in flight no start waits for another completion.
class pacing {
public:
    /// The most starts before the transport is asked again for completions, which free connections, and before the
    /// scheduler looks for a stop.
    static constexpr std::size_t burst = 16;

    bool may_start() const noexcept { return starts_left_ > 0; }
    void started() noexcept { --starts_left_; }

    /// Call it before asking the transport for completions.
    void asked() noexcept { starts_left_ = burst; }

    /// Call it for each completion; `in_flight` still counts that one.
    void completed(std::size_t in_flight) noexcept {
        const std::size_t together = std::clamp<std::size_t>(in_flight / 64, 1, burst / 2);
        starts_left_ = 0;
        if (++completions_ < together) return;
        completions_ = 0;
        starts_left_ = 2 * together;  // twice the completions, or the number in flight could never grow
    }

    /// Whether a completion goes before the timers that are due: at most as often as there are transfers in flight, as
    /// these may only have waited for the body of the loop.
    bool completion_first(bool timer_is_due, std::size_t in_flight) noexcept {
        if (!timer_is_due) completions_first_ = in_flight;
        return !timer_is_due || completions_first_ > 0;
    }
    void completion_went_first() noexcept { --completions_first_; }
    void timer_went(std::size_t in_flight) noexcept { completions_first_ = in_flight; }

private:
    std::size_t starts_left_ = burst;
    std::size_t completions_ = 0;  // since the last start
    std::size_t completions_first_ = 0;
};

}  // namespace r2::inline v0_2::detail
