#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "r2/policy/http_date.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2 {

namespace detail {
template <class> class latency_log;
}

/// Names a transfer within its engine.
enum class transfer_id : std::uint64_t {};

/// A transfer whose outcome is there.
struct completion {
    transfer_id id;
    void* owner;  ///< As `start` was told.
    /// When it was found ready to go on to its outcome, if that was in an earlier wait: before `start` even, where
    /// several share a connection. `never`: just now.
    time_point at;
};

/// What a transfer keeps to by itself. Its time is the caller's affair: `wait_until`, then `cancel`.
struct limits {
    std::size_t max_body = 100U << 20;
    int max_redirects = 10;
};

/// All that the loops need of the world: sending, waiting, the time and chance. Used by one thread at a time, but for
/// `wake`.
class engine {
public:
    virtual ~engine() = default;

    virtual time_point now() noexcept = 0;
    virtual wall_time wall_now() noexcept = 0;

    /// In [0, 1).
    virtual double chance() noexcept = 0;

    /// Starts sending, for one `take`, `cancel` or `drain` later, until which the request has to live. `owner` is
    /// told back once it is complete.
    virtual transfer_id start(const request& q, const limits& l, void* owner) = 0;

    /// Blocks until a transfer is complete, which it names, or the time comes, or `wake` was called: whichever is
    /// first. Until that transfer is taken or cancelled, it is named again, and the others need not go on.
    virtual std::optional<completion> wait_until(time_point until) = 0;

    /// Puts the outcome of a complete transfer in its place, its sends noted.
    virtual void take(transfer_id id, std::optional<attempt>& into) = 0;

    /// Ends a transfer, complete or not, and says how often its request was put on the wire.
    virtual int cancel(transfer_id id) noexcept = 0;

    /// Cancels a transfer of which nobody wants the outcome, but lets it come in until then, so that its connection
    /// lives: while this engine is used, and without sending anything more. `kept` is the request, shared.
    virtual int drain(transfer_id id, std::shared_ptr<const request> /*kept*/, time_point /*until*/) noexcept {
        return cancel(id);
    }

    /// Ends the `wait_until` that runs, or else the next one. From any thread; async-signal-unsafe.
    virtual void wake() noexcept = 0;
};

/// Lends engines, one to each range that runs, and so keeps what they keep: connections, TLS sessions, names.
/// Thread-safe.
class engine_pool {
public:
    virtual ~engine_pool() = default;

    /// Null where this machine has no memory or file descriptors for one more.
    virtual std::unique_ptr<engine> take() = 0;
    virtual void give_back(std::unique_ptr<engine> e) noexcept = 0;

    /// How long the client's answers took lately: what hedging by a percentile goes by.
    virtual detail::latency_log<void>& latencies() noexcept = 0;
};

/// An engine on loan; keeps its pool alive, and gives the engine back in the end.
class engine_lease {
public:
    explicit engine_lease(std::shared_ptr<engine_pool> pool) : pool_(std::move(pool)), engine_(pool_->take()) {}
    engine_lease(engine_lease&&) = delete;
    ~engine_lease() {
        if (engine_) pool_->give_back(std::move(engine_));
    }

    explicit operator bool() const noexcept { return engine_ != nullptr; }
    engine* operator->() const noexcept { return engine_.get(); }
    engine& operator*() const noexcept { return *engine_; }

private:
    std::shared_ptr<engine_pool> pool_;
    std::unique_ptr<engine> engine_;
};

}  // namespace r2
