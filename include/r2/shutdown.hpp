#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <initializer_list>
#include <memory>
#include <stop_token>
#include <utility>

#include "r2/policy/options.hpp"
#include "r2/signal_watch.hpp"
#include "r2/words/error.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// The time that all clean-ups of a shutdown share; called, it makes options of what is left. Thread-safe.
class cleanup_time {
public:
    /// Not set: no limit.
    constexpr cleanup_time() noexcept = default;
    template <class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, duration>
    constexpr cleanup_time(std::chrono::duration<Rep, Period> allowance) noexcept : allowance_(allowance) {}
    template <class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, duration> cleanup_time& operator=(
        std::chrono::duration<Rep, Period> allowance) noexcept {
        allowance_ = allowance;
        return *this;
    }
    cleanup_time(cleanup_time&&) = delete;  // and so a shutdown isn't copied either: its signals refer to it

    /// The same policy without the stop token, its deadline cut to what is left now. So ask anew for each clean-up.
    /// Where nothing is left, its range sends nothing: one attempt with `errc::timeout`.
    [[nodiscard("makes options: pass them to a verb")]] options operator()(const options& policy) const {
        const duration limit = std::max(left(), duration(1));
        const bool own = policy.deadline > duration{} && policy.deadline < limit;
        return policy.detached(own || allowance_ <= duration{} ? policy.deadline : limit);
    }

    /// Before the stop, the allowance; after it, until `grace` and the allowance are over, then 0. Not set:
    /// duration::max().
    duration left() const noexcept {
        if (allowance_ <= duration{}) return duration::max();
        const time_point end = end_;
        return end == detail::never ? allowance_
                                    : std::max(duration{}, duration(end - std::chrono::steady_clock::now()));
    }

private:
    friend struct shutdown;

    /// The first call counts.
    void begin(duration grace) noexcept {
        const time_point start = detail::later(std::chrono::steady_clock::now(), std::max(grace, duration{}));
        time_point not_begun = detail::never;
        end_.compare_exchange_strong(not_begun,
                                     std::min(detail::later(start, allowance_), detail::never - duration(1)));
    }

    duration allowance_ = {};
    std::atomic<time_point> end_ = detail::never;
};

/// One stop for all the work of a process, and one deadline for all its clean-up: from the stop on, everything that
/// keeps to it has ended within `grace` + `cleanup`. Thread-safe, but for `on_signal` and the setting of its fields;
/// its token outlives it. Not to be destroyed by a callback of its token, nor used across `fork()`.
///
///     r2::shutdown down{.grace = 2s, .cleanup = 5s};
///     down.on_signal({SIGTERM, SIGINT});
///     r2::post(url, order, down.work(policy))     // ends soon after the stop
///     r2::del(url, down.cleanup(policy))          // still runs after it
struct shutdown {
    /// How long attempts in flight may go on after the stop. Not set: they are cut at once.
    duration grace = {};

    /// For all that has to be done after that, together; `down.cleanup(policy)` makes options of what is left. Not set:
    /// no limit.
    cleanup_time cleanup = {};

    std::stop_token token() const noexcept { return source_.get_token(); }
    bool requested() const noexcept { return source_.stop_requested(); }

    /// Stops all work, and starts the time for clean-up. False where that was done before. Not for signal handlers:
    /// `on_signal` is.
    bool request() noexcept {
        cleanup.begin(grace);
        return source_.request_stop();
    }

    /// The same policy, to end with the stop: the attempt in flight within `grace`, and nothing new is sent.
    [[nodiscard("makes options: pass them to a verb")]] options work(options policy) const {
        policy.stop = token();
        policy.stop_grace = grace;
        return policy;
    }

    /// Until this is destroyed, each of these signals calls `request()`, on a thread of its own; a second one changes
    /// nothing. Blocking calls of the program go on (SA_RESTART). All are taken or, with an error, none: `errc::local`
    /// names the one that can't be handled (SIGKILL) or belongs to another shutdown. The former handlers come back in
    /// the end.
    error on_signal(std::initializer_list<int> signals) {
        if (!signals_) signals_ = std::make_unique<detail::signal_watch>([this] { request(); });
        return signals_->add(signals);
    }

    // Not for use from outside: an aggregate has no private members.
    std::stop_source source_ = {};
    std::unique_ptr<detail::signal_watch> signals_ = {};  // last, so that its thread has ended before the rest is gone
};

}  // namespace r2::inline v0_2
