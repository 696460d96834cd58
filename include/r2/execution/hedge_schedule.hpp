#pragma once

#include <algorithm>
#include <optional>

#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// When the copies of one attempt go out. A value without clock or I/O.
class hedge_schedule {
public:
    static constexpr int most_copies = 5;

    /// No copies at all.
    constexpr hedge_schedule() = default;

    /// `after` is the wait before each copy.
    constexpr hedge_schedule(int copies, duration after, time_point started) noexcept
        : left_(std::min(copies, most_copies)), after_(std::max(after, duration{})), next_(later(started, after_)) {}

    /// The time of the next copy; `never`: none is left.
    constexpr time_point next() const noexcept { return left_ > 0 ? next_ : never; }

    constexpr void copy_sent(time_point now) noexcept {
        --left_;
        next_ = std::max(later(now, after_), held_);
    }

    /// A copy failed in a way that may pass: the next one goes at once, but not before the wait that the server asked
    /// for.
    constexpr void copy_failed(time_point now, std::optional<duration> asked) noexcept {
        next_ = std::max(now, held_);
        if (asked) hold(later(now, *asked));
    }

    /// No copy goes before then.
    constexpr void hold(time_point until) noexcept {
        held_ = std::max(held_, until);
        next_ = held_;
    }

    constexpr void end() noexcept { left_ = 0; }

private:
    int left_ = 0;
    duration after_ = {};
    time_point next_ = never;
    time_point held_ = time_point::min();
};

}  // namespace r2::inline v0_2::detail
