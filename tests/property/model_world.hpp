#pragma once

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "property/mark.hpp"

namespace r2::property {

/// The model's clock, stop and server, as the comments of fake_client tell them.
class model_world {
public:
    explicit model_world(const loop_case& c) : c_(c) {
        if (c.may_stop && c.stop_at) stop_at_ = later(beginning, *c.stop_at);
    }

    time_point now() const noexcept { return now_; }
    duration elapsed() const noexcept { return now_ - beginning; }
    bool stopped() const noexcept { return stopped_; }
    void request_stop() noexcept { stopped_ = c_.may_stop; }

    /// As the loop's body, or a callable, that takes its time.
    void advance(duration d) {
        const time_point until = later(now_, d);
        if (stop_comes_by(until)) stop_comes();
        now_ = std::max(now_, until);
    }

    /// Sleeps until then, or until the stop.
    void sleep_until(time_point until, trace& slept) {
        if (now_ >= until || stopped_) return;
        const time_point from = now_;
        if (stop_comes_by(until))
            stop_comes();
        else if (until == never)
            throw std::logic_error("a wait that never ends");
        else
            now_ = until;
        if (now_ > from) slept.push_back({.seen = seen::slept, .wait = now_ - from});
    }

    /// Lets what is in flight go on until then, or until the stop, if that comes no later.
    void go_on_until(time_point t) {
        if (stop_comes_by(t)) return stop_comes();
        if (t == never) throw std::logic_error("a transfer that never ends");
        now_ = std::max(now_, t);
    }

    /// The step of the script for the next request.
    const step& next_step() noexcept {
        return c_.script[static_cast<std::size_t>(std::min(requests_++, c_.steps - 1))];
    }
    int requests() const noexcept { return requests_; }

    /// This mark, as of now.
    mark now(seen what, mark m = {}) const {
        m.seen = what;
        m.requests = requests_;
        m.now = elapsed();
        return m;
    }

    static constexpr time_point beginning = time_point(24h);

private:
    bool stop_comes_by(time_point t) const noexcept { return stop_at_ && *stop_at_ <= t; }

    void stop_comes() noexcept {
        now_ = std::max(now_, *stop_at_);
        stop_at_.reset();
        stopped_ = true;
    }

    const loop_case& c_;
    time_point now_ = beginning;
    bool stopped_ = false;
    std::optional<time_point> stop_at_;
    int requests_ = 0;
};

}  // namespace r2::property
