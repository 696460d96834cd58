#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <vector>

#include "r2/curl/readiness.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

class multi_group;

/// The events of one transport: the sockets and timers of its groups.
class reactor {
public:
    readiness sockets;
    std::vector<multi_group*> due;  ///< Groups whose timer has run out. Has room for all, so that adding never throws.
    std::size_t groups = 0;         ///< The number of groups.
    time_point next_timer = never;  ///< No timer runs out before.
    time_point now = {};            ///< When sockets and timers were looked at last.

    /// Ends the current `wait`, or else the next one. Thread-safe.
    void wake() noexcept {
        woken_.store(true, std::memory_order_release);
        sockets.wake();
    }
    /// Whether `wake` was called since `take_wake`.
    bool is_woken() const noexcept { return woken_.load(std::memory_order_relaxed); }
    void take_wake() noexcept { woken_.exchange(false, std::memory_order_acquire); }

    /// Waits for sockets, at most so long.
    void wait(int milliseconds) {
        sockets.wait(milliseconds);
        if (sockets.more()) now = std::chrono::steady_clock::now();
    }

    /// The wait until then, in milliseconds, at most an hour.
    int milliseconds_until(time_point until) const noexcept {
        const auto left = std::min(until - now, time_point::duration(std::chrono::hours(1)));
        // Rounded up: a wait that ends early would be repeated.
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }

private:
    std::atomic<bool> woken_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
