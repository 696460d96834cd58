#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "r2/drivers/driver.hpp"
#include "r2/drivers/host_queue.hpp"
#include "r2/drivers/timer_queue.hpp"
#include "r2/execution/execution.hpp"
#include "r2/ranges/all.hpp"
#include "r2/ranges/attempts.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/origin.hpp"

namespace r2::inline v0_2::detail {

/// Drives many courses on one transport: starts what is ready as there is room, and waits for whatever comes first.
class scheduler final : public many_attempts {
public:
    scheduler(std::shared_ptr<transport_pool> pool, job_source source, options o, concurrency c)
        : pool_(std::move(pool)),
          source_(std::move(source)),
          options_(std::make_shared<const options>(std::move(o))),
          most_in_flight_(limit_of(c.max_in_flight)),
          ready_(limit_of(c.max_per_host)) {}

    job_attempt* pull() override {
        if (over_) return nullptr;
        try {
            if (!transport_) begin();
            yielded_.reset();
            while (!yielded_ && !over_) step();
            so_far.in_flight = in_flight_;
            so_far.waiting = so_far.read - so_far.done - in_flight_;
            elapsed = now() - began_;
        } catch (...) {
            finish();
            throw;
        }
        if (!over_) return &*yielded_;
        finish();
        return nullptr;
    }

private:
    struct job;
    using hosts = host_queue<job>;
    using timers = timer_queue<job>;

    struct job {
        /// Keeps the memory of an earlier one's URL and headers where it can: the processor's caches have it.
        void begin(std::size_t i, r2::request&& q, std::shared_ptr<const r2::options> o) {
            index = i;
            request.method = std::move(q.method);
            request.url = std::as_const(q.url);
            if (q.headers.empty())
                request.headers.clear();
            else
                request.headers = std::move(q.headers);
            request.body = std::move(q.body);
            options = std::move(o);
            number = 0;
            asked = false;
        }

        std::size_t index = 0;
        r2::request request = {};
        std::shared_ptr<const r2::options> options = {};
        std::optional<execution> way = {};  // refers to the request and the options
        int number = 0;                     // of its last attempt
        bool asked = false;                 // whether the guards said yes to its first one
        typename timers::timer timer = {};  // while it waits, and while it is in flight and that has a limit
        typename hosts::host* host = nullptr;
        typename std::list<job>::iterator self = {};
    };

    static std::size_t limit_of(int n) noexcept { return static_cast<std::size_t>(n > 0 ? n : -1); }

    time_point now() noexcept { return *transport_ ? (*transport_)->now() : time_point(); }

    void begin() {
        transport_.emplace(pool_);
        began_ = now();
        deadline_ = rules_of(*options_, began_).deadline;
        if (*transport_) on_stop_.emplace(options_->stop, waker{&**transport_});
    }

    /// One step towards the next attempt that is over.
    void step() {
        if (!*transport_) return without_transport();
        notice_stop();
        if (!given_up_.empty()) {
            job& next = *given_up_.back();
            given_up_.pop_back();
            return give_up(next, cut_);
        }
        start_due();
        if (yielded_) return;
        fill();
        if (yielded_) return;
        if (so_far.read > so_far.done || starts_left_ == 0) return wait();
        over_ = so_far.all_read;
    }

    /// A stop, or the deadline: what isn't in flight never will be, and nothing more is read.
    void notice_stop() {
        if (cut_ != ended::not_yet) return;
        if (options_->stop.stop_requested())
            cut_ = ended::stopped;
        else if (deadline_ != never && now() >= deadline_)
            cut_ = ended::deadline;
        else
            return;
        if (so_far.read == 0) read();  // a range that is pulled yields at least one
        so_far.all_read = true;
        given_up_ = ready_.drop();
        while (!waiting_.empty()) given_up_.push_back(&waiting_.pop());
        std::sort(given_up_.begin(), given_up_.end(), [](job* a, job* b) { return a->index > b->index; });
        for (job& each : jobs_) {
            if (!each.way || !each.way->in_flight()) continue;
            limits_.cancel(each);
            set_limit(each);
        }
    }

    /// Its next attempt is never made.
    void give_up(job& j, ended why) {
        leave(j);
        j.way->end();
        j.way->never_made(why, j.number + 1);
        yield(j);
    }

    /// Starts those whose time has come, and that have a turn already; the others get in line.
    void start_due() {
        if (waiting_.empty()) return;
        const time_point t = now();
        while (starts_left_ > 0 && !yielded_ && waiting_.next() <= t) {
            job& j = waiting_.pop();
            if (!j.host) {
                line_up(j);
            } else {
                --starts_left_;
                start(j);
            }
        }
    }

    /// Starts what may start. A request is read where nothing else is ready, and else after each retry that was
    /// started, so that neither holds the other up.
    void fill() {
        while (under_way_ < most_in_flight_ && starts_left_ > 0 && !yielded_) {
            const bool may_read = !so_far.all_read && ready_.size() < read_ahead;
            if (may_read && (!ready_.can_start() || reads_next_)) {
                reads_next_ = false;
                read();
            } else if (ready_.can_start()) {
                const auto [next, host] = ready_.start();
                next->host = host;
                ++under_way_;
                --starts_left_;
                reads_next_ = next->number > 0;
                start(*next);
            } else {
                return;
            }
        }
    }

    void read() {
        std::optional<new_job> r = source_();
        if (!r) {
            so_far.all_read = true;
            return;
        }
        job& j = add(std::move(*r));
        j.way.emplace(**transport_, pool_->latencies(), j.request, *j.options, began_, current_, &j);
        line_up(j);
    }

    job& add(new_job&& r) {
        if (spare_.empty()) {
            spare_.reserve(burst);
            spare_.push_back(&jobs_.emplace_back());
            spare_.back()->self = std::prev(jobs_.end());
        }
        job& j = *spare_.back();
        spare_.pop_back();
        j.begin(so_far.read++, std::move(r.request), options_);
        if (r.own) {
            r.own->stop = options_->stop;
            r.own->stop_grace = options_->stop_grace;
            r.own->deadline = options_->deadline;
            j.options = std::make_shared<const options>(std::move(*r.own));
        }
        put_over(j.request, *j.options);
        return j;
    }

    /// Whether its time is still to come.
    bool waits(job& j) {
        const time_point turn = j.way->turn();
        if (turn == time_point::min() || turn <= now()) return false;
        waiting_.set(j, turn);
        return true;
    }

    void line_up(job& j) {
        std::string scratch;
        ready_.push(j, origin_of(j.request.url, scratch));
    }

    /// Now that it has a turn, which it keeps where the guards ask its first attempt to wait: so no more are asked than
    /// there is room for.
    void start(job& j) {
        if (!std::exchange(j.asked, true)) {
            if (const ended refused = j.way->admit_first(); refused != ended::not_yet) return give_up(j, refused);
            if (waits(j)) return;
        }
        if (const ended cut = j.way->prepare(j.number + 1); cut != ended::not_yet) return give_up(j, cut);
        j.way->start(++j.number);
        if (!j.way->in_flight()) return conclude(j);
        ++in_flight_;
        set_limit(j);
    }

    /// Gives its turn to another.
    void leave(job& j) {
        if (!j.host) return;
        ready_.over(*std::exchange(j.host, nullptr));
        --under_way_;
    }

    void set_limit(job& j) {
        if (const time_point due = j.way->due(); due != never) limits_.set(j, due);
    }

    /// A transfer of it is complete, or its time has come.
    void follow_up(job& j) {
        if (j.way->in_flight()) return set_limit(j);
        --in_flight_;
        conclude(j);
    }

    void wait() {
        time_point until = std::min(waiting_.next(), limits_.next());
        if (ready_.size() > 0) until = std::min(until, deadline_);
        if (starts_left_ == 0) until = time_point::min();  // only a look: there may be starts that are held back
        starts_left_ = burst;
        // What is complete comes first, as it may have waited for the body of the loop; but not for ever.
        const bool late = overdue();
        if (!late) completions_first_ = in_flight_;
        if (!late || completions_first_ > 0)
            if (const auto c = (*transport_)->wait_until(until)) {
                if (late) --completions_first_;
                return complete(*c);
            }
        if (overdue()) elapse();
    }

    /// Whether the time of one in flight has come.
    bool overdue() { return !limits_.empty() && limits_.next() <= now(); }

    void complete(const completion& c) {
        hold_starts();
        job& j = *static_cast<job*>(c.which->owner);
        limits_.cancel(j);
        j.way->complete(c);
        follow_up(j);
    }

    void elapse() {
        completions_first_ = in_flight_;
        job& j = limits_.pop();
        j.way->elapse();
        follow_up(j);
    }

    /// After a completion, lets others start only once several are over: both then run through the same code one after
    /// the other, while the processor's caches have it. Few in flight (under 128) never wait for one another.
    void hold_starts() {
        const std::size_t together = std::clamp<std::size_t>(in_flight_ / 64, 1, burst / 2);
        starts_left_ = 0;
        if (++over_since_start_ < together) return;
        over_since_start_ = 0;
        starts_left_ = 2 * together;  // twice what is over, or there would never be more in flight
    }

    void conclude(job& j) {
        leave(j);
        if (j.way->conclude() == ended::not_yet && !waits(j)) line_up(j);
        yield(j);
    }

    void yield(job& j) {
        yielded_.emplace(std::move(*current_), j.index);
        ++so_far.attempts;
        if (!yielded_->is_last()) return;
        ++so_far.done;
        ++ends[static_cast<std::size_t>(yielded_->ended())];
        if (spare_.size() >= burst) return void(jobs_.erase(j.self));
        j.way.reset();
        j.options.reset();  // with all that the user's callables hold
        j.request.headers.clear();
        j.request.body = {};
        spare_.push_back(&j);
    }

    void without_transport() {
        std::optional<new_job> r;
        if (!options_->stop.stop_requested() || so_far.read == 0) r = source_();
        if (!r) {
            over_ = so_far.all_read = true;
            return;
        }
        job& j = add(std::move(*r));
        execution::without_transport(j.request, *j.options, current_);
        yield(j);
    }

    /// Lets go of everything, in this order: courses tell the guards and the transport.
    void finish() {
        over_ = true;
        so_far.in_flight = so_far.waiting = 0;
        on_stop_.reset();
        spare_.clear();
        jobs_.clear();
        source_ = {};
        transport_.reset();  // for the next range
    }

    /// Requests that are read while none of their hosts has room: so many may be overtaken by one for another host.
    static constexpr std::size_t read_ahead = 1000;

    /// So many are started before the transport is asked again what is complete, which frees connections, and before a
    /// stop is looked for.
    static constexpr std::size_t burst = 16;

    std::shared_ptr<transport_pool> pool_;
    job_source source_;
    std::shared_ptr<const options> options_;
    const std::size_t most_in_flight_;
    std::optional<transport_lease> transport_;
    time_point began_ = {};
    time_point deadline_ = never;
    ended cut_ = ended::not_yet;
    bool over_ = false;
    bool reads_next_ = false;
    std::size_t starts_left_ = burst;
    std::size_t over_since_start_ = 0;

    std::optional<attempt> current_;  // where every execution makes its attempt
    std::optional<job_attempt> yielded_;
    std::list<job> jobs_;      // each is ready, waits, is in flight, is given up, or is spare
    std::vector<job*> spare_;  // done, and used for what is read next: making a job anew costs time
    hosts ready_;
    timers waiting_;
    std::size_t in_flight_ = 0;
    std::size_t under_way_ = 0;          // those that have a turn: in flight, or told by a guard to wait
    std::size_t completions_first_ = 0;  // how many go before what is overdue
    std::vector<job*> given_up_;         // the next one last

    timers limits_;                                     // of what is in flight
    std::optional<std::stop_callback<waker>> on_stop_;  // last, so that no wake comes once the rest is destroyed
};

}  // namespace r2::inline v0_2::detail
