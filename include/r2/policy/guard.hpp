#pragma once

#include <string>
#include <utility>

#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// A guard's decision on an attempt that wants to start.
class admission {
public:
    struct go_t {
        operator admission() const { return admission(); }
        admission operator()() const { return admission(); }
    };

    /// Start as planned. May be written `admission::go` or `admission::go()`.
    static constexpr go_t go{};

    admission() = default;

    /// Start this much later than now, or as planned if that is later.
    static admission wait(duration d) {
        admission a;
        a.wait_ = d;
        return a;
    }

    /// Don't start: the range ends with `ended::refused`. `attempt::refusal()` returns the reason.
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

/// Delays or refuses attempts of many ranges: a budget, a breaker, a limiter. Must be thread-safe: each thread that
/// runs one of its ranges calls it. An exception of a guard reaches that range's loop.
///
/// Each admitted attempt is settled once, by `record_of` or `cancel`, with the same request object as in `admit`.
class guard {
public:
    virtual ~guard() = default;

    /// Decides whether attempt `number`, from 1, may start. The request is the one before `before_attempt`. A further
    /// copy of a hedged attempt is admitted as if it were the next attempt, with a request object of its own.
    virtual admission admit(const request& q, int number, time_point now) = 0;

    /// Decides on an attempt that follows `before`. Unless overridden: `admit`.
    virtual admission admit_next(const request& q, const attempt& before, time_point now) {
        return admit(q, before.number() + 1, now);
    }

    /// Receives the outcome of an admitted attempt, before the decision. The outcome arrived at `now`.
    virtual void record(const attempt&, time_point /*now*/) {}

    /// As `record`, with the admitted request. Unless overridden: `record`.
    virtual void record_of(const request&, const attempt& a, time_point now) { record(a, now); }

    /// Called if an admitted attempt is never made. Must not throw: a range may call it in its destructor.
    virtual void cancel(const request&, time_point) {}
};

}  // namespace r2::inline v0_2
