#pragma once

#include <string>
#include <utility>

#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// A guard's answer to an attempt that wants to start.
class admission {
public:
    struct go_t {
        operator admission() const { return admission(); }
        admission operator()() const { return admission(); }
    };

    /// Start as planned. Both `admission::go` and `admission::go()` say so.
    static constexpr go_t go{};

    admission() = default;

    /// Start this much later than now, or as planned if that is later still.
    static admission wait(duration d) {
        admission a;
        a.wait_ = d;
        return a;
    }

    /// Don't start: the range ends with `ended::refused`. The reason is what `attempt::refusal()` tells.
    static admission refuse(std::string reason) {
        admission a;
        a.refused_ = true;
        a.reason_ = std::move(reason);
        return a;
    }

    bool refused() const noexcept { return refused_; }
    duration wait() const noexcept { return wait_; }
    const std::string& reason() const noexcept { return reason_; }

private:
    bool refused_ = false;
    duration wait_ = {};
    std::string reason_;
};

/// Holds many ranges back together: a budget, a breaker, a limiter. Asked from every thread that runs one of its
/// ranges; what it throws reaches that loop.
class guard {
public:
    virtual ~guard() = default;

    /// Whether attempt `number`, from 1, may start. The request is the one before `before_attempt`. A further copy of
    /// a hedged attempt is asked for as if it were the next one, with a request object of its own.
    virtual admission admit(const request& q, int number, time_point now) = 0;

    /// The same for an attempt that follows another, by whose outcome it may be judged. Unless overridden: `admit`.
    virtual admission admit_next(const request& q, const attempt& before, time_point now) {
        return admit(q, before.number() + 1, now);
    }

    /// What became of an attempt that it admitted, before the decision; `now` is when its outcome was there.
    virtual void record(const attempt&, time_point /*now*/) {}

    /// The same with the request that it admitted. Unless overridden: `record`.
    virtual void record_of(const request&, const attempt& a, time_point now) { record(a, now); }

    /// An attempt that it admitted is never made. Not to throw: it may be called while a range is destroyed.
    virtual void cancel(const request&, time_point) {}
};

}  // namespace r2::inline v0_2
