#pragma once

#include <algorithm>
#include <string>

#include "r2/policy/options.hpp"
#include "r2/words/error.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// The time at which an attempt in flight is cut: by its `timeout` or the deadline, or by a stop once its grace is
/// over.
class attempt_limit {
public:
    /// Keep the options alive.
    attempt_limit(const options& o, time_point started, time_point deadline)
        : options_(o),
          deadline_(deadline),
          end_(o.timeout > duration{} ? std::min(deadline, later(started, o.timeout)) : deadline) {}

    /// When to cut it; `never`: no limit so far. Call it before each wait, as only this call notices a stop.
    time_point next(time_point now) {
        if (grace_ends_ == never && options_.stop.stop_requested())
            grace_ends_ = later(now, waited_ ? std::max(options_.stop_grace, duration{}) : duration{});
        waited_ = true;  // before the first wait nothing has been done for the attempt, and so it gets no grace
        return std::min(end_, grace_ends_);
    }

    /// By the timeout or the deadline.
    bool passed(time_point now) const noexcept { return now >= end_; }
    bool passed_or_stopped(time_point now) const noexcept { return now >= std::min(end_, grace_ends_); }

    /// Whether the stop's limit comes before the other one.
    bool by_stop() const noexcept { return grace_ends_ < end_; }

    /// The error of an attempt that was cut after this many sends.
    error reason(int sends) const {
        if (by_stop()) {
            if (sends == 0) return {errc::stopped, "before the request was sent"};
            return {errc::stopped, "before the response was complete", sent::maybe};
        }
        const std::string limit = end_ == deadline_ ? " before the deadline of " + to_string(options_.deadline)
                                                    : " within " + to_string(options_.timeout);
        if (sends == 0) return {errc::timeout, "not sent" + limit};
        return {errc::timeout, "no complete response" + limit, sent::maybe};
    }

private:
    const options& options_;
    time_point deadline_;
    time_point end_;
    time_point grace_ends_ = never;
    bool waited_ = false;
};

}  // namespace r2::inline v0_2::detail
