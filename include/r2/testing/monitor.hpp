#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

/// A mutex with a condition variable.
class monitor {
public:
    [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

    void notify() const { changed_.notify_all(); }

    /// Waits until `met()`, which is called under the lock. Returns false on the timeout.
    template <class Met> bool wait(duration timeout, Met met) const {
        auto held = lock();
        return changed_.wait_until(held, r2::detail::later(std::chrono::steady_clock::now(), timeout), met);
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
};

}  // namespace r2::inline v0_2::testing::detail
