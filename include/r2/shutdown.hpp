#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <stop_token>

#include "r2/config.hpp"
#include "r2/policy/options.hpp"
#include "r2/words/error.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

namespace detail {

class signal_watch;

}  // namespace detail

/// The time limits of a `shutdown`. Zero or negative means "not set".
struct shutdown_options {
    /// Lets attempts in flight finish for this long after the stop. Not set: cuts them at once.
    duration grace = {};

    /// Limits all clean-up together, counted from the end of `grace`. Not set: no limit.
    duration cleanup = {};
};

/// Stops all work of a process at once, and gives all its clean-up one deadline: `grace` + `cleanup` after the stop.
/// Thread-safe, except `on_signal`. The token may outlive the shutdown. Callbacks of the token must not destroy the
/// shutdown. Not usable across `fork()`.
///
///     r2::shutdown down({.grace = 2s, .cleanup = 5s});
///     down.on_signal({SIGTERM, SIGINT});
///     r2::post(url, order, down.work(policy))     // ends soon after the stop
///     r2::del(url, down.cleanup(policy))          // still runs after it
class shutdown {
public:
    explicit shutdown(shutdown_options o = {});
    ~shutdown();
    shutdown(const shutdown&) = delete;  // its signals refer to it
    shutdown& operator=(const shutdown&) = delete;

    /// Returns the token that `work` puts into options.
    std::stop_token token() const noexcept { return source_.get_token(); }

    /// Whether the stop was requested.
    bool requested() const noexcept { return source_.stop_requested(); }

    /// Stops all work and starts the clean-up time. Returns false if a stop was requested before. Not
    /// async-signal-safe: use `on_signal`.
    bool request() noexcept;

    /// Makes options for work: a stop ends the attempt in flight within `grace`, and nothing new is sent.
    [[nodiscard("makes options: pass them to a verb")]] options work(options policy) const;

    /// Makes options for clean-up: no stop token, and as deadline the shorter of `policy.deadline` and
    /// `cleanup_left()`. Call it anew for each clean-up. With no time left, the range sends nothing and yields one
    /// attempt with `errc::timeout`.
    [[nodiscard("makes options: pass them to a verb")]] options cleanup(const options& policy) const;

    /// Returns the time left for clean-up: `cleanup` before the stop; after it, the time until `grace` + `cleanup` have
    /// passed. `duration::max()` if `cleanup` isn't set.
    duration cleanup_left() const noexcept;

    /// Calls `request()` on a thread of its own when one of these signals arrives. Interrupted system calls are
    /// restarted (SA_RESTART). A second signal changes nothing. The destructor restores the former handlers. On an
    /// error takes none of the signals: `errc::local` names the one that can't be handled (SIGKILL) or belongs to
    /// another shutdown.
    error on_signal(std::initializer_list<int> signals);

private:
    const shutdown_options options_;
    std::atomic<time_point> end_ = time_point::max();  // of the clean-up; the maximum before the stop
    std::stop_source source_;
    std::unique_ptr<detail::signal_watch> signals_;  // last, so that its thread ends first
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/shutdown.ipp"
#endif
