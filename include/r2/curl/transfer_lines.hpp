#pragma once

#include <optional>

#include "r2/curl/intrusive_list.hpp"
#include "r2/curl/pooled_transfer.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

/// The complete transfers that were not taken yet, in the order in which they completed.
class complete_line {
public:
    bool empty() const noexcept { return line_.empty(); }
    void add(pooled_transfer& t, time_point ready_at) noexcept {
        t.ready_at = ready_at;
        line_.push_back(t);
    }
    void remove(pooled_transfer& t) noexcept { line_.remove(t); }

    completion first() const noexcept { return {line_.front().caller, line_.front().ready_at}; }

private:
    intrusive_list<pooled_transfer> line_;
};

/// The transfers that drain, in the order of their time limits.
class draining_line {
public:
    void add(pooled_transfer& t, time_point until) noexcept {
        t.drain_until = until;
        line_.insert_sorted(
            t, [](const pooled_transfer& a, const pooled_transfer& b) { return a.drain_until < b.drain_until; });
    }
    void remove(pooled_transfer& t) noexcept { line_.remove(t); }

    /// The first time limit; `never` if none drains.
    time_point next_limit() const noexcept { return line_.empty() ? never : line_.front().drain_until; }

    /// A transfer whose limit has passed; null if there is none.
    pooled_transfer* overdue(time_point now) noexcept { return next_limit() <= now ? &line_.front() : nullptr; }

private:
    intrusive_list<pooled_transfer> line_;
};

}  // namespace r2::inline v0_2::detail::curl
