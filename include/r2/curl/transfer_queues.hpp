#pragma once

#include "r2/curl/intrusive_list.hpp"
#include "r2/curl/pooled_transfer.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

/// The complete transfers that were not taken yet, in the order in which they completed.
class complete_queue {
public:
    bool empty() const noexcept { return queue_.empty(); }
    void add(pooled_transfer& t, time_point ready_at) noexcept {
        t.ready_at = ready_at;
        queue_.push_back(t);
    }
    void remove(pooled_transfer& t) noexcept { queue_.remove(t); }

    completion first() const noexcept { return {queue_.front().caller, queue_.front().ready_at}; }

private:
    intrusive_list<pooled_transfer> queue_;
};

/// The transfers that drain, in the order of their time limits.
class draining_queue {
public:
    void add(pooled_transfer& t, time_point until) noexcept {
        t.drain_until = until;
        queue_.insert_sorted(
            t, [](const pooled_transfer& a, const pooled_transfer& b) { return a.drain_until < b.drain_until; });
    }
    void remove(pooled_transfer& t) noexcept { queue_.remove(t); }

    /// The first time limit; `never` if none drains.
    time_point next_limit() const noexcept { return queue_.empty() ? never : queue_.front().drain_until; }

    /// A transfer whose limit has passed; null if there is none.
    pooled_transfer* overdue(time_point now) noexcept {
        return queue_.empty() || queue_.front().drain_until > now ? nullptr : &queue_.front();
    }

private:
    intrusive_list<pooled_transfer> queue_;
};

}  // namespace r2::inline v0_2::detail::curl
