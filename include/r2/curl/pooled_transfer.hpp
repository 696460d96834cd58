#pragma once

#include <cassert>
#include <cstddef>
#include <utility>

#include "r2/curl/intrusive_list.hpp"
#include "r2/curl/multi_group.hpp"
#include "r2/curl/transfer.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

/// A transfer that its transport reuses, and its place there. It stands in a queue while it is complete or draining.
struct pooled_transfer : transfer, list_node {
    using transfer::transfer;

    /// The transfer that a ticket stands for.
    static pooled_transfer& of(const ticket& t) noexcept {
        assert(t.transfer && "the transfer was taken, cancelled or drained before");
        return *static_cast<pooled_transfer*>(t.transfer);
    }

    /// Makes `t` stand for this transfer, until `detach`.
    void attach(ticket& t) noexcept {
        t.transfer = this;
        caller = &t;
    }
    void detach() noexcept {
        if (ticket* const t = std::exchange(caller, nullptr)) t->transfer = nullptr;
    }

    ticket* caller = nullptr;      ///< Null while idle or draining: nobody will take it.
    std::size_t index = 0;         ///< In its pool.
    multi_group* group = nullptr;  ///< While libcurl has it.
    std::size_t origin = 0;        ///< See `group_set::group_for`.
    time_point drain_until = {};   ///< While draining.
    time_point ready_at = {};      ///< Once complete: as `completion::at`.
};

}  // namespace r2::inline v0_2::detail::curl
