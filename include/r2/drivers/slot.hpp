#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "r2/drivers/host_queue.hpp"
#include "r2/drivers/queued_request.hpp"
#include "r2/drivers/timer_queue.hpp"
#include "r2/execution/execution.hpp"
#include "r2/policy/options.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

/// One request of a scheduler, with its execution. Reused, as constructing one costs time.
struct slot {
    using host_line = host_queue<slot>::host;

    /// Keeps the memory of an earlier request's URL and headers where it can: the processor's caches have it.
    void fill(std::size_t i, queued_request&& q, const std::shared_ptr<const r2::options>& shared) {
        index = i;
        request.method = std::move(q.request.method);
        request.url = std::as_const(q.request.url);
        if (q.request.headers.empty())
            request.headers.clear();
        else
            request.headers = std::move(q.request.headers);
        request.body = std::move(q.request.body);
        options = q.own ? of_its_own(std::move(*q.own), *shared) : shared;
        put_over(request, *options);
    }

    /// Lets go of all that the user's callables and the request hold.
    void empty() {
        execution.reset();
        options.reset();
        request.headers.clear();
        request.body = {};
    }

    std::size_t index = 0;  ///< Of its request, in the order of reading.
    r2::request request = {};
    std::shared_ptr<const r2::options> options = {};
    std::optional<detail::execution> execution = {};  ///< Refers to the request and the options.
    timer_queue<slot>::timer timer = {};  ///< Set while it waits, and while it is in flight and has a timer.
    host_line* host = nullptr;            ///< Set: it is under way there.
    slot* next_in_line = nullptr;         ///< Of its host.
    std::size_t place = 0;                ///< In the pool of slots.

private:
    static std::shared_ptr<const r2::options> of_its_own(r2::options&& own, const r2::options& shared) {
        own.stop = shared.stop;
        own.stop_grace = shared.stop_grace;
        own.deadline = shared.deadline;
        return std::make_shared<const r2::options>(std::move(own));
    }
};

}  // namespace r2::inline v0_2::detail
