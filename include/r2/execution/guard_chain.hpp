#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "r2/policy/guard.hpp"
#include "r2/transport/transport.hpp"

namespace r2::inline v0_2::detail {

/// The guards of a range. Calls `record_of` or `cancel` once on each guard that admitted an attempt, at the latest when
/// this is destroyed.
class guard_chain {
public:
    /// Keep the guards and the request alive.
    guard_chain(const std::vector<std::shared_ptr<guard>>& guards, const request& q, transport& t)
        : guards_(guards), request_(q), transport_(t) {}
    guard_chain(guard_chain&&) = delete;
    ~guard_chain() {
        try {
            if (admitted_ > 0) cancel(transport_.now());
        } catch (...) {  // in the destructor of a range, no loop can catch this
        }
    }

    bool empty() const noexcept { return guards_.empty(); }

    /// Asks the guards in order, up to the first that refuses. Returns the longest of their waits. `before` is the
    /// attempt that this one follows; null if there is none.
    admission admit(const attempt* before, int number, time_point now) {
        admission longest;
        for (const auto& each : guards_) {
            admission one = !each    ? admission::go()
                            : before ? each->admit_next(request_, *before, now)
                                     : each->admit(request_, number, now);
            if (one.refused()) {
                cancel(now);
                return one;
            }
            ++admitted_;
            if (one.wait() > longest.wait()) longest = std::move(one);
        }
        return longest;
    }

    /// Gives the outcome to every guard that admitted, even if one of them throws.
    void record(const attempt& a, time_point now) {
        for_each_admitting([&](guard& g) { g.record_of(request_, a, now); });
    }

    /// The same, where an exception is on its way already.
    void record_quietly(const attempt& a, time_point now) noexcept {
        try {
            record(a, now);
        } catch (...) {
        }
    }

    /// The attempt is never made.
    void cancel(time_point now) {
        for_each_admitting([&](guard& g) { g.cancel(request_, now); });
    }

private:
    template <class F> void for_each_admitting(F f) {
        std::exception_ptr first;
        const std::size_t count = std::exchange(admitted_, 0);
        for (std::size_t i = 0; i < count; ++i) {
            try {
                if (guards_[i]) f(*guards_[i]);
            } catch (...) {
                if (!first) first = std::current_exception();
            }
        }
        if (first) std::rethrow_exception(first);
    }

    const std::vector<std::shared_ptr<guard>>& guards_;
    const request& request_;
    transport& transport_;
    std::size_t admitted_ = 0;  // the first so many guards admitted it, or are null
};

}  // namespace r2::inline v0_2::detail
