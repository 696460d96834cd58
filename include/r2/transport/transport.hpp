#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Identifies a transfer by its address. Must not move from `start` until the transfer is taken, cancelled or drained.
struct ticket {
    void* owner = nullptr;     ///< For the caller; no transport reads it.
    void* transfer = nullptr;  ///< The transport's own, while it carries the transfer.
};

/// The `completion::at` of a transfer that the transport found ready in this very wait.
inline constexpr time_point just_now = never;

/// A transfer whose outcome has arrived.
struct completion {
    ticket* which;
    /// When the transport found it ready, if that was in an earlier wait. Several transfers share a connection, so this
    /// may be before `start`. Else `just_now`.
    time_point at;
};

/// The limits that a transfer enforces by itself. Its time limit is the caller's: `wait_until`, then `cancel`.
struct transfer_limits {
    std::size_t max_body = 100U << 20;
    int max_redirects = 10;
};

/// Sends, waits, and supplies the time and random numbers. Not thread-safe, except `wake`.
class transport {
public:
    virtual ~transport() = default;

    virtual time_point now() noexcept = 0;
    virtual wall_time wall_now() noexcept = 0;

    /// Returns a random number in [0, 1).
    virtual double chance() noexcept = 0;

    /// Takes a request to send; `wait_until` sends and receives. Keep `t` in place and `q` alive, and call exactly one
    /// of `take`, `cancel`, `drain` later.
    virtual void start(ticket& t, const request& q, const transfer_limits& l) = 0;

    /// Blocks until a transfer is complete, `until` has come or `wake` was called. Returns the same transfer again
    /// until it is taken or cancelled; others may not progress until then.
    virtual std::optional<completion> wait_until(time_point until) = 0;

    /// Returns the outcome of a complete transfer, as an attempt with its sends but without number or decision.
    virtual attempt take(ticket& t) = 0;

    /// Ends a transfer, complete or not. Returns how often its request was put on the wire.
    virtual int cancel(ticket& t) noexcept = 0;

    /// Ends a transfer as `cancel` does, but receives the rest of the response in the background until then, so that
    /// the connection can be used again. Sends nothing more. `kept` is the request.
    virtual int drain(ticket& t, std::shared_ptr<const request> /*kept*/, time_point /*until*/) noexcept {
        return cancel(t);
    }

    /// Ends the `wait_until` that runs, or else the next one. From any thread, but not from a signal handler.
    virtual void wake() noexcept = 0;
};

}  // namespace r2::inline v0_2::detail
