#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "r2/policy/guard.hpp"
#include "r2/transport/transport.hpp"

namespace r2::inline v0_2::detail {

/// What the guards of a range said to its next attempt. Those that admitted it hear of it once more: what became of it,
/// or that it is never made, at the latest when this is destroyed.
class guard_chain {
public:
    /// The guards and the request have to live as long as this.
    guard_chain(const std::vector<std::shared_ptr<guard>>& guards, const request& q, transport& transport)
        : guards_(guards), request_(q), transport_(transport) {}
    guard_chain(guard_chain&&) = delete;
    ~guard_chain() {
        try {
            if (admitted_ > 0) cancel(transport_.now());
        } catch (...) {  // a range is being destroyed: there is no loop left that it could reach
        }
    }

    /// Asks all guards in order, up to the first that refuses; the wait is the longest of theirs. `before` is the
    /// attempt that this one follows, null where there is none.
    admission ask(const attempt* before, int number, time_point now) {
        admission answer;
        for (const auto& each : guards_) {
            admission one = !each    ? admission::go()
                            : before ? each->admit_next(request_, *before, now)
                                     : each->admit(request_, number, now);
            if (one.refused()) {
                cancel(now);
                return one;
            }
            ++admitted_;
            if (one.wait() > answer.wait()) answer = std::move(one);
        }
        return answer;
    }

    void record(const attempt& a, time_point now) {
        tell([&](guard& g) { g.record_of(request_, a, now); });
    }

    void cancel(time_point now) {
        tell([&](guard& g) { g.cancel(request_, now); });
    }

private:
    /// Tells every guard that admitted, even if one of them throws.
    template <class F> void tell(F f) {
        std::exception_ptr thrown;
        for (std::size_t told = std::exchange(admitted_, 0), i = 0; i < told; ++i) {
            try {
                if (guards_[i]) f(*guards_[i]);
            } catch (...) {
                if (!thrown) thrown = std::current_exception();
            }
        }
        if (thrown) std::rethrow_exception(thrown);
    }

    const std::vector<std::shared_ptr<guard>>& guards_;
    const request& request_;
    transport& transport_;
    std::size_t admitted_ = 0;  // how many of the first ones did, or are null
};

}  // namespace r2::inline v0_2::detail
