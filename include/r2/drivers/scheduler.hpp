#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "r2/drivers/host_queue.hpp"
#include "r2/drivers/job_counts.hpp"
#include "r2/drivers/pacing.hpp"
#include "r2/drivers/slot_pool.hpp"
#include "r2/drivers/source.hpp"
#include "r2/drivers/timer_queue.hpp"
#include "r2/drivers/waker.hpp"
#include "r2/policy/concurrency.hpp"
#include "r2/transport/transport_pool.hpp"
#include "r2/words/origin.hpp"

namespace r2::inline v0_2::detail {

/// Drives many executions on one transport: starts the requests that are ready while there is room, then waits for the
/// next event.
class scheduler final : public job_attempt_source {
public:
    scheduler(std::shared_ptr<transport_pool> pool, request_reader requests, options o, const concurrency& c)
        : pool_(std::move(pool)),
          read_request_(std::move(requests)),
          options_(std::make_shared<const options>(std::move(o))),
          most_in_flight_(limit_of(c.max_in_flight)),
          ready_(limit_of(c.max_per_host)) {}

    job_attempt* next() override {
        if (over_) return nullptr;
        try {
            if (!lease_) begin();
            yielded_.reset();
            while (!yielded_ && !over_) step();
            counts_.elapsed(now() - began_);
        } catch (...) {
            release();
            throw;
        }
        if (!over_) return &*yielded_;
        release();
        return nullptr;
    }

    r2::progress progress() const noexcept override { return counts_.progress(); }
    std::size_t count(ended why) const noexcept override { return counts_.count(why); }
    std::string summary() const override { return counts_.summary(); }

private:
    static std::size_t limit_of(int n) noexcept { return static_cast<std::size_t>(n > 0 ? n : -1); }

    time_point now() noexcept { return *lease_ ? (*lease_)->now() : time_point(); }

    void begin() {
        lease_.emplace(pool_);
        began_ = now();
        deadline_ = limits_of(*options_, began_).deadline;
        if (*lease_) on_stop_.emplace(options_->stop, waker{&**lease_});
    }

    /// One step towards the next attempt that is over.
    void step() {
        if (!*lease_) return fail_next_without_transport();
        notice_end();
        if (!given_up_.empty()) return give_up_next();
        start_due();
        if (!yielded_) start_ready();
        if (yielded_) return;
        if (counts_.so_far().read > counts_.so_far().done || !pacing_.may_start()) return wait();
        over_ = counts_.so_far().all_read;
    }

    /// After a stop or the deadline, nothing more is read or started.
    void notice_end() {
        if (end_ != ended::not_yet) return;
        if (options_->stop.stop_requested())
            end_ = ended::stopped;
        else if (deadline_ != never && now() >= deadline_)
            end_ = ended::deadline;
        else
            return;
        if (counts_.so_far().read == 0) read();  // a range that is pulled yields at least one attempt
        counts_.all_read();
        given_up_ = ready_.clear();
        while (!waiting_.empty()) given_up_.push_back(&waiting_.pop());
        std::sort(given_up_.begin(), given_up_.end(), [](slot* a, slot* b) { return a->index > b->index; });
        slots_.for_each_in_flight([this](slot& s) {
            flight_timers_.cancel(s);
            set_flight_timer(s);  // which notices the stop
        });
    }

    void give_up_next() {
        slot& next = *given_up_.back();
        given_up_.pop_back();
        next.execution->end_for(end_);
        give_up(next);
    }

    /// Ends a slot whose next attempt is never made.
    void give_up(slot& s) {
        leave_host(s);
        yield(s, std::move(*s.execution->make_stand_in()));
    }

    /// Goes on with the slots whose time has come: starts those that are under way already; the others get in line.
    void start_due() {
        if (waiting_.empty()) return;
        const time_point t = now();
        while (pacing_.may_start() && !yielded_ && waiting_.next() <= t) {
            slot& s = waiting_.pop();
            if (!s.host) {
                line_up(s);
                continue;
            }
            pacing_.started();
            start(s);
        }
    }

    /// Starts slots while there is room. Reads a request if none is ready, and after each retry that it starts, so that
    /// neither new requests nor retries starve.
    void start_ready() {
        while (ready_.under_way() < most_in_flight_ && pacing_.may_start() && !yielded_) {
            const bool may_read = !counts_.so_far().all_read && ready_.size() < read_ahead;
            if (may_read && (!ready_.can_start() || reads_next_)) {
                reads_next_ = false;
                read();
            } else if (ready_.can_start()) {
                const auto [next, host] = ready_.start();
                next->host = host;
                pacing_.started();
                reads_next_ = next->execution->number() > 0;
                start(*next);
            } else {
                return;
            }
        }
    }

    void read() {
        std::optional<queued_request> q = read_request_();
        if (!q) {
            counts_.all_read();
            return;
        }
        slot& s = fill_slot(std::move(*q));
        s.execution.emplace(execution_context{**lease_, pool_->latencies(), s.request, *s.options}, began_);
        line_up(s);
    }

    slot& fill_slot(queued_request&& q) {
        slot& s = slots_.take();
        s.fill(counts_.so_far().read, std::move(q), options_);
        counts_.read();
        return s;
    }

    void line_up(slot& s) {
        std::string scratch;
        ready_.push(s, origin_of(s.request.url, scratch));
    }

    /// Sets the timer of a slot whose time is in the future. Returns whether it did.
    bool set_wait_timer(slot& s) {
        const time_point turn = s.execution->due();
        if (turn == time_point::min() || turn <= now()) return false;
        waiting_.set(s, turn);
        return true;
    }

    /// Keeps the slot's place at the host while a guard delays its first attempt, so that no more guards are asked than
    /// there is room for.
    void start(slot& s) {
        execution& e = *s.execution;
        if (!e.has_due_time()) {
            if (!e.admit_first()) return give_up(s);
            if (set_wait_timer(s)) return;
        }
        if (!e.prepare()) return give_up(s);
        if (const std::unique_ptr<attempt> over = e.start(&s)) return finish(s, std::move(*over));
        counts_.started();
        set_flight_timer(s);
    }

    void leave_host(slot& s) {
        if (s.host) ready_.finished(*std::exchange(s.host, nullptr));
    }

    void set_flight_timer(slot& s) {
        if (const time_point timer = s.execution->next_timer(); timer != never) flight_timers_.set(s, timer);
    }

    void wait() {
        time_point until = std::min(waiting_.next(), flight_timers_.next());
        if (!pacing_.may_start()) until = time_point::min();  // only a look: starts may be held back
        pacing_.asked();
        const bool overdue = is_overdue();
        if (pacing_.completion_first(overdue, counts_.so_far().in_flight)) {
            if (const auto complete = (*lease_)->wait_until(until)) {
                if (overdue) pacing_.completion_went_first();
                return on_completion(*complete);
            }
        }
        if (is_overdue()) on_timer();
    }

    /// Whether the time of a slot in flight has come.
    bool is_overdue() { return !flight_timers_.empty() && flight_timers_.next() <= now(); }

    void on_completion(const completion& c) {
        pacing_.completed(counts_.so_far().in_flight);
        slot& s = *static_cast<slot*>(c.which->owner);
        flight_timers_.cancel(s);
        go_on(s, s.execution->on_completion(c));
    }

    void on_timer() {
        pacing_.timer_went(counts_.so_far().in_flight);
        slot& s = flight_timers_.pop();
        go_on(s, s.execution->on_timer());
    }

    /// Continues a slot in flight. `over` is its attempt, or null if that goes on.
    void go_on(slot& s, std::unique_ptr<attempt> over) {
        if (!over) return set_flight_timer(s);
        counts_.no_longer_in_flight();
        finish(s, std::move(*over));
    }

    void finish(slot& s, attempt&& a) {
        leave_host(s);
        if (!a.is_last() && !set_wait_timer(s)) line_up(s);
        yield(s, std::move(a));
    }

    void yield(slot& s, attempt&& a) {
        yielded_.emplace(std::move(a), s.index);
        counts_.yielded(*yielded_);
        if (yielded_->is_last()) slots_.give_back(s);
    }

    /// Yields the next request with an error, as the pool has no transport.
    void fail_next_without_transport() {
        std::optional<queued_request> q;
        if (!options_->stop.stop_requested() || counts_.so_far().read == 0) q = read_request_();
        if (!q) {
            counts_.all_read();
            over_ = true;
            return;
        }
        slot& s = fill_slot(std::move(*q));
        attempt a = no_transport();
        if (s.options->on_attempt) s.options->on_attempt(s.request, std::as_const(a));
        yield(s, std::move(a));
    }

    /// Releases everything. Slots go before the lease: their executions still call guards and the transport.
    void release() {
        over_ = true;
        counts_.end();
        on_stop_.reset();
        slots_.clear();
        read_request_ = {};
        lease_.reset();  // for the next range
    }

    /// The limit of requests in line for hosts without room.
    static constexpr std::size_t read_ahead = 1000;

    std::shared_ptr<transport_pool> pool_;
    request_reader read_request_;
    std::shared_ptr<const options> options_;
    const std::size_t most_in_flight_;
    std::optional<transport_lease> lease_;
    time_point began_ = {};
    time_point deadline_ = never;
    ended end_ = ended::not_yet;  // of all that isn't in flight
    bool over_ = false;
    bool reads_next_ = false;

    std::optional<job_attempt> yielded_;
    job_counts counts_;

    pacing pacing_;
    slot_pool slots_{pacing::burst};  // each is ready, waits, is in flight, is given up, or is done
    host_queue<slot> ready_;
    timer_queue<slot> waiting_;
    timer_queue<slot> flight_timers_;                   // of the slots in flight
    std::vector<slot*> given_up_;                       // the next one last
    std::optional<std::stop_callback<waker>> on_stop_;  // last, so that no wake comes once the rest is destroyed
};

}  // namespace r2::inline v0_2::detail
