#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "r2/engine.hpp"
#include "r2/range/all.hpp"
#include "r2/range/attempts.hpp"
#include "r2/range/course.hpp"
#include "r2/range/host_queue.hpp"
#include "r2/range/loop.hpp"
#include "r2/words/origin.hpp"

namespace r2::detail {

/// Drives many courses on one engine: starts what is ready as there is room, and waits for whatever comes first.
template <class T = void> class many final : public many_attempts {
public:
    many(std::shared_ptr<engine_pool> pool, request_source source, options o, concurrency c)
        : pool_(std::move(pool)),
          source_(std::move(source)),
          options_(std::make_shared<const options>(std::move(o))),
          most_in_flight_(limit_of(c.max_in_flight)),
          ready_(limit_of(c.max_per_host) == unlimited ? 0 : limit_of(c.max_per_host)) {}

    job_attempt* pull() override {
        if (over_) return nullptr;
        try {
            if (!world_) begin();
            yielded_.reset();
            while (!yielded_ && !over_) go_on();
            so_far.in_flight = in_flight_.size();
            so_far.waiting = jobs_.size() - in_flight_.size();
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
    using timers = std::map<std::pair<time_point, std::size_t>, job*>;  // of equal times, the first read comes first

    struct job {
        job(std::size_t i, r2::request&& q, std::shared_ptr<const r2::options> o)
            : index(i), request(std::move(q)), options(std::move(o)) {}

        std::size_t index;
        r2::request request;
        std::shared_ptr<const r2::options> options;
        std::optional<course<T>> way = {};  // refers to the request and the options
        int number = 0;                     // of its last attempt
        time_point due = never;             // in the timers, in which it is while it waits or is in flight
        typename hosts::host* host = nullptr;
        typename std::list<job>::iterator self = {};
    };

    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);
    static std::size_t limit_of(int n) noexcept { return n > 0 ? static_cast<std::size_t>(n) : unlimited; }

    time_point now() noexcept { return *world_ ? (*world_)->now() : time_point(); }

    void begin() {
        world_.emplace(pool_);
        began_ = now();
        if (*world_) on_stop_.emplace(options_->stop, waker{&**world_});
    }

    /// One step towards the next attempt that is over.
    void go_on() {
        if (!*world_) return without_engine();
        notice_stop();
        if (!given_up_.empty()) return give_up(*take_given_up());
        for (const time_point t = now(); !waiting_.empty() && waiting_.begin()->first.first <= t;) {
            job& j = *waiting_.begin()->second;
            waiting_.erase(waiting_.begin());
            line_up(j);
        }
        fill();
        if (yielded_ || !given_up_.empty()) return;
        if (jobs_.empty()) {
            over_ = all_read();
            return;
        }
        wait();
    }

    bool all_read() const noexcept { return so_far.all_read; }

    /// A stop, or the deadline: what isn't in flight never will be, and nothing more is read.
    void notice_stop() {
        if (cut_ != ended::not_yet) return;
        if (options_->stop.stop_requested())
            cut_ = ended::stopped;
        else if (options_->deadline > duration{} && now() >= later(began_, options_->deadline))
            cut_ = ended::deadline;
        else
            return;
        so_far.all_read = true;
        given_up_ = ready_.drop();
        for (const auto& [due, waiting] : waiting_) given_up_.push_back(waiting);
        waiting_.clear();
        std::sort(given_up_.begin(), given_up_.end(), [](job* a, job* b) { return a->index > b->index; });
        limits_.clear();
        for (const auto& [id, flying] : in_flight_) set_limit(*flying);
    }

    job* take_given_up() {
        job* const j = given_up_.back();
        given_up_.pop_back();
        return j;
    }

    void give_up(job& j) {
        j.way->end();
        j.way->never_made(cut_, j.number + 1);
        yield(j);
    }

    /// Starts what may start. A request is read where nothing else is ready, and else after each retry that was
    /// started, so that neither holds the other up.
    void fill() {
        while (in_flight_.size() < most_in_flight_ && !yielded_) {
            const bool may_read = !all_read() && ready_.size() < read_ahead;
            if (may_read && (!ready_.can_start() || reads_next_)) {
                reads_next_ = false;
                read();
            } else if (ready_.can_start()) {
                const auto [next, host] = ready_.start();
                next->host = host;
                reads_next_ = next->number > 0;
                start(*next);
            } else {
                return;
            }
        }
    }

    void read() {
        std::optional<read_request> r = source_();
        if (!r) {
            so_far.all_read = true;
            return;
        }
        job& j = add(std::move(r->request));
        if (r->own) {
            r->own->stop = options_->stop;
            r->own->stop_grace = options_->stop_grace;
            r->own->deadline = options_->deadline;
            j.options = std::make_shared<const options>(std::move(*r->own));
        }
        put_over(j.request, *j.options);
        j.way.emplace(**world_, j.request, *j.options, began_, current_);
        if (const ended refused = j.way->admit_first(); refused != ended::not_yet) {
            j.way->never_made(refused, 1);
            return yield(j);
        }
        line_up_in_time(j);
    }

    job& add(r2::request&& q) {
        job& j = jobs_.emplace_back(so_far.read++, std::move(q), options_);
        j.self = std::prev(jobs_.end());
        return j;
    }

    void line_up_in_time(job& j) {
        const time_point turn = j.way->turn();
        if (turn <= now()) return line_up(j);
        j.due = turn;
        waiting_.emplace(std::pair(turn, j.index), &j);
    }

    void line_up(job& j) {
        std::string scratch;
        ready_.push(j, origin_of(j.request.url, scratch));
    }

    void start(job& j) {
        const int number = j.number + 1;
        if (const ended cut = j.way->prepare(number); cut != ended::not_yet) {
            ready_.over(*j.host);
            j.way->end();
            j.way->never_made(cut, number);
            return yield(j);
        }
        j.number = number;
        j.way->start(number);
        if (!j.way->in_flight()) return conclude(j);
        in_flight_.emplace(j.way->transfer(), &j);
        set_limit(j);
    }

    void set_limit(job& j) {
        j.due = j.way->limit();
        if (j.due != never) limits_.emplace(std::pair(j.due, j.index), &j);
    }

    void wait() {
        time_point until = never;
        if (!waiting_.empty()) until = waiting_.begin()->first.first;
        if (!limits_.empty()) until = std::min(until, limits_.begin()->first.first);
        if (ready_.size() > 0 && options_->deadline > duration{})
            until = std::min(until, later(began_, options_->deadline));
        // What is complete comes first: that it waited for the body of the loop is no fault of its own.
        if (const auto complete = (*world_)->wait_until(until)) {
            job& j = *in_flight_.find(*complete)->second;
            land(j);
            j.way->complete();
            return conclude(j);
        }
        if (limits_.empty() || limits_.begin()->first.first > now()) return;
        job& late = *limits_.begin()->second;
        land(late);
        late.way->expire();
        conclude(late);
    }

    /// It is in flight no longer.
    void land(job& j) {
        in_flight_.erase(j.way->transfer());
        limits_.erase({j.due, j.index});
    }

    void conclude(job& j) {
        ready_.over(*j.host);
        if (j.way->conclude() == ended::not_yet) line_up_in_time(j);
        yield(j);
    }

    void yield(job& j) {
        yielded_.emplace(std::move(*current_), j.index);
        ++so_far.attempts;
        if (!yielded_->is_last()) return;
        ++so_far.done;
        ++ends[static_cast<std::size_t>(yielded_->ended())];
        jobs_.erase(j.self);
    }

    void without_engine() {
        std::optional<read_request> r = source_();
        if (!r) {
            over_ = so_far.all_read = true;
            return;
        }
        job& j = add(std::move(r->request));
        course<T>::without_engine(j.request, *options_, current_);
        yield(j);
    }

    /// Lets go of everything, in this order: courses tell guards and the engine.
    void finish() {
        over_ = true;
        so_far.in_flight = so_far.waiting = 0;
        on_stop_.reset();
        jobs_.clear();
        source_ = {};
    }

    /// Requests that are read while none of their hosts has room: so many may be overtaken by one for another host.
    static constexpr std::size_t read_ahead = 1000;

    std::shared_ptr<engine_pool> pool_;
    request_source source_;
    std::shared_ptr<const options> options_;
    const std::size_t most_in_flight_;
    std::optional<engine_lease> world_;
    time_point began_ = {};
    ended cut_ = ended::not_yet;
    bool over_ = false;
    bool reads_next_ = false;

    std::optional<attempt> current_;  // where every course makes its attempt
    std::optional<job_attempt> yielded_;
    std::list<job> jobs_;  // each in just one of the following
    hosts ready_;
    timers waiting_;
    std::unordered_map<transfer_id, job*> in_flight_;
    std::vector<job*> given_up_;  // the next one last

    timers limits_;                                     // of what is in flight
    std::optional<std::stop_callback<waker>> on_stop_;  // last, so that no wake comes once the rest is destroyed
};

}  // namespace r2::detail
