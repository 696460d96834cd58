#pragma once

#include <memory>
#include <stop_token>
#include <utility>

#include "r2/execution/execution.hpp"
#include "r2/ranges/attempts.hpp"
#include "r2/transport/transport_pool.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Ends the wait that an transport is in.
struct waker {
    transport* sleeper;
    void operator()() const noexcept { sleeper->wake(); }
};

/// Drives one request on the calling thread, which waits.
class driver {
public:
    driver(transport& transport, job& j)
        : transport_(transport),
          course_(transport, j.pool->latencies(), j.request, j.options, transport.now(), j.current, nullptr, &j.history,
                  j.call ? &j.call : nullptr),
          on_stop_(j.options.stop, waker{&transport}) {}

    /// Waits for the turn of attempt `number` and gets its request ready. Else says what came before it could be sent.
    ended prepare(int number) {
        ended cut = number == 1 ? course_.admit_first() : ended::not_yet;
        if (cut == ended::not_yet) cut = wait_turn();
        if (cut == ended::not_yet) cut = course_.prepare(number);
        if (cut != ended::not_yet) course_.end();
        return cut;
    }

    /// Makes the attempt that was prepared, and decides what follows it.
    ended make(int number) {
        course_.start(number);
        while (course_.in_flight()) {
            const time_point until = course_.due();
            if (until != never && transport_.now() >= until)
                course_.elapse();
            else if (const auto done = transport_.wait_until(until))
                course_.complete(*done);
        }
        return course_.conclude();
    }

    void never_made(ended why) { course_.never_made(why); }

private:
    ended wait_turn() {
        for (;;) {
            if (const ended cut = course_.cut_short(); cut != ended::not_yet) return cut;
            const time_point turn = course_.turn();
            if (turn == time_point::min() || transport_.now() >= turn) return ended::not_yet;
            transport_.wait_until(turn);
        }
    }

    transport& transport_;
    execution course_;
    std::stop_callback<waker> on_stop_;  // last, so that no wake comes once the rest is destroyed
};

}  // namespace detail

/// The rules of the loop, as a coroutine: runs when it is pulled.
inline attempts run(std::unique_ptr<detail::job> job) {
    detail::transport_lease lease(job->pool);
    if (!lease) {
        detail::execution::without_transport(job->request, job->options, job->current);
        job->history.add(*job->current, {});
        co_yield ended::not_retryable;
        co_return ended::not_retryable;
    }

    detail::driver loop(*lease, *job);
    for (int number = 1;; ++number) {
        ended decided = loop.prepare(number);
        if (decided != ended::not_yet && number > 1) co_return decided;
        if (decided == ended::not_yet)
            decided = loop.make(number);
        else
            loop.never_made(decided);
        co_yield decided;
        if (decided != ended::not_yet) co_return decided;
    }
}

}  // namespace r2::inline v0_2
