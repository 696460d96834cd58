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

/// The time that a `shutdown` gives. Zero or negative is "not set".
struct shutdown_options {
    /// For attempts in flight, from the stop on. Not set: they are cut at once.
    duration grace = {};

    /// For all clean-up together, after `grace`. Not set: no limit.
    duration cleanup = {};
};

/// One stop for all the work of a process, and one deadline for all its clean-up: both have ended within `grace` +
/// `cleanup` of the stop. Thread-safe, but for `on_signal`. Its token outlives it. A callback of the token must not
/// destroy it. Not usable across `fork()`.
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

    std::stop_token token() const noexcept { return source_.get_token(); }
    bool requested() const noexcept { return source_.stop_requested(); }

    /// Stops all work, and starts the time for clean-up. Returns false if that was done before. Not for signal
    /// handlers: use `on_signal`.
    bool request() noexcept;

    /// Makes options for work: a stop ends the attempt in flight within `grace`, and nothing new is sent.
    [[nodiscard("makes options: pass them to a verb")]] options work(options policy) const;

    /// Makes options for clean-up: without the stop token, and with a deadline of at most `cleanup_left()`. Call it
    /// anew for each clean-up. If nothing is left, the range sends nothing: it has one attempt with `errc::timeout`.
    [[nodiscard("makes options: pass them to a verb")]] options cleanup(const options& policy) const;

    /// Returns the time left for clean-up: before the stop all of it, after the stop also what is left of `grace`.
    /// duration::max() if it has no limit.
    duration cleanup_left() const noexcept;

    /// Calls `request()` on each of these signals, on a thread of its own, until this is destroyed; then restores the
    /// former handlers. System calls of the program are restarted (SA_RESTART). A second signal changes nothing. On an
    /// error no signal is taken: `errc::local` names the one that can't be handled (SIGKILL) or belongs to another
    /// shutdown.
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
