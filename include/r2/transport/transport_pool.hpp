#pragma once

#include <memory>
#include <utility>

#include "r2/transport/transport.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/error.hpp"

namespace r2::inline v0_2::detail {

class latency_log;

/// Lends transports, one to each range that runs. A transport keeps its connections, TLS sessions and resolved names
/// from one range to the next. Thread-safe.
class transport_pool {
public:
    virtual ~transport_pool() = default;

    /// Returns null if there are no file descriptors or memory for one more.
    virtual std::unique_ptr<transport> take() = 0;
    virtual void give_back(std::unique_ptr<transport> t) noexcept = 0;

    /// Returns the latencies of the client's recent responses, for hedging by a percentile.
    virtual latency_log& latencies() noexcept = 0;
};

/// A transport on loan. Keeps its pool alive, and gives the transport back when destroyed.
class transport_lease {
public:
    explicit transport_lease(std::shared_ptr<transport_pool> pool)
        : pool_(std::move(pool)), transport_(pool_->take()) {}
    transport_lease(transport_lease&&) = delete;
    ~transport_lease() {
        if (transport_) pool_->give_back(std::move(transport_));
    }

    /// False if the pool had none.
    explicit operator bool() const noexcept { return transport_ != nullptr; }
    transport* operator->() const noexcept { return transport_.get(); }
    transport& operator*() const noexcept { return *transport_; }

private:
    std::shared_ptr<transport_pool> pool_;
    std::unique_ptr<transport> transport_;
};

/// Makes the attempt of a request whose range got no transport.
inline attempt no_transport() {
    attempt a(error(errc::local, "no file descriptors or memory for another transfer"));
    a.notes().ended = ended::not_retryable;
    return a;
}

}  // namespace r2::inline v0_2::detail
