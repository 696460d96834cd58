#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "r2/curl/handles.hpp"
#include "r2/curl/shard_set.hpp"
#include "r2/curl/transfer.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/random.hpp"

namespace r2::inline v0_2::detail::curl {

/// An transport on libcurl: transfers in shards, all of which wait as one, which is also the sleep that can be
/// interrupted. It opens a shard where the others are full, and keeps one from one range to the next.
class curl_transport final : public transport {
public:
    explicit curl_transport(std::shared_ptr<const client_options> settings)
        : settings_(std::move(settings)), share_(curl_share_init()) {
        if (!share_) return;
        // Not connections: these belong to one shard each. No locks, as one thread at a time uses the transport.
        curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
        curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    }
    ~curl_transport() override {
        for (const flight& f : all_)
            if (f.in) f.in->remove(f.handle());
    }

    /// False where there were no descriptors for it.
    bool usable() const noexcept { return waiting_.sockets.usable(); }

    time_point now() noexcept override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() noexcept override { return std::chrono::system_clock::now(); }
    double chance() noexcept override { return chance_.unit(); }

    void start(ticket& t, const request& q, const transfer_limits& l) override {
        // What was alone no longer is; and again, where it has just been redirected.
        while (shard* const was = std::exchange(lone_, nullptr)) acted(*was, was->watch());
        flight& f = idle_one();
        f.use_small_buffers(in_flight_ >= crowd);
        t.transfer = &f;
        f.which = &t;
        shard* const in = f.begin(q, l) ? &shards_for(f).place_for(q.url, f.origin) : nullptr;
        idle_.pop_back();  // only now, as what is above may throw
        in ? add(f, *in) : complete(f);
    }

    attempt take(ticket& t) override {
        flight& f = at(t);
        attempt a = f.result();
        f.step_out_of(complete_);
        retire(f);
        return a;
    }

    int cancel(ticket& t) noexcept override {
        flight& f = at(t);
        const int sends = f.sends();
        f.in ? leave(f) : f.step_out_of(complete_);
        retire(f);
        return sends;
    }

    /// While this transport lies in its pool, nothing comes in: what is overdue then is cut when it is used again.
    int drain(ticket& t, std::shared_ptr<const request> kept, time_point until) noexcept override {
        flight& f = at(t);
        if (!f.in || !f.is_sent() || until <= now()) return cancel(t);
        f.only_receive();
        f.kept = std::move(kept);
        f.drained = true;
        f.drained_by = until;
        auto later = draining_.end();
        while (later != draining_.begin() && (*std::prev(later))->drained_by > until) --later;
        draining_.splice(later, f.own_place);
        return f.sends();
    }

    std::optional<completion> wait_until(time_point until) override {
        for (;;) {
            if (complete_.empty()) lone_ ? acted(*lone_, lone_->perform()) : act_at_once();
            act_on_ready(waiting_.now);
            if (!complete_.empty()) {
                flight& first = *complete_.front();
                return completion{first.which, first.over_at};
            }
            waiting_.now = now();
            cut_overdue();
            if (!lone_ && queue_due()) continue;
            const bool last = woken_.load(std::memory_order_relaxed) || waiting_.now >= until;
            wait(last ? 0 : patience(until));
            act_on_ready(never);
            if (!last || !complete_.empty()) continue;
            woken_.exchange(false, std::memory_order_acquire);
            return std::nullopt;
        }
    }

    void wake() noexcept override {
        woken_.store(true, std::memory_order_release);
        waiting_.sockets.wake();
    }

    /// Told that a range is over: lets go of what only many at a time need.
    void rest() noexcept {
        while (idle_.size() > few) {
            all_.erase(idle_.back()->self);
            idle_.pop_back();
        }
        plain_.rest();
        secure_.rest();
        waiting_.sockets.shrink();
    }

private:
    struct flight;
    using flights = std::list<flight>;
    using line = std::list<flight*>;

    struct flight : transfer {
        using transfer::transfer;

        /// Back from a line in which it stands.
        void step_out_of(line& l) noexcept { own_place.splice(own_place.end(), l, place); }

        ticket* which = nullptr;
        typename flights::iterator self = {};
        line own_place = {this};  // its element, which a line borrows: so standing in one takes no memory
        const typename line::iterator place = own_place.begin();
        shard* in = nullptr;     // while libcurl has it
        std::size_t origin = 0;  // hashed; known where there is more than one shard
        std::shared_ptr<const request> kept = {};
        bool drained = false;
        time_point drained_by = {};
        time_point over_at = {};
    };

    /// From so many at a time on, each gets by with little memory.
    static constexpr std::size_t crowd = 8;

    /// So many idle handles are kept for the next range.
    static constexpr std::size_t few = 8;

    static flight& at(const ticket& t) noexcept { return *static_cast<flight*>(t.transfer); }

    /// An idle one, which stays the last of idle_.
    flight& idle_one() {
        if (idle_.empty()) {
            if (idle_.capacity() == all_.size()) idle_.reserve(2 * all_.size() + few);
            flight& f = all_.emplace_back(*settings_, share_.get());
            f.self = std::prev(all_.end());
            idle_.push_back(&f);
        }
        return *idle_.back();
    }

    shard_set& shards_for(const flight& f) noexcept { return f.is_secure() ? secure_ : plain_; }

    void add(flight& f, shard& s) {
        f.in = &s;
        if (++in_flight_ == 1) lone_ = &s;
        const bool added = s.add(f.handle(), lone_ != nullptr);
        s.home.grown(s);
        if (!added) over(f, CURLE_FAILED_INIT);
    }

    void leave(flight& f) noexcept {
        shard& s = *std::exchange(f.in, nullptr);
        s.remove(f.handle());
        --in_flight_;
        if (lone_ == &s) lone_ = nullptr;
        s.home.shrunk(s);
    }

    /// Lets go of a transfer that is over, and keeps its handle for another, if that can be reused.
    void retire(flight& f) noexcept {
        f.release();
        f.kept.reset();
        f.drained = false;
        if (f.reusable())
            idle_.push_back(&f);  // for which there is memory
        else
            all_.erase(f.self);
    }

    void act_at_once() {
        std::vector<shard*>& all = waiting_.at_once;
        const std::size_t count = all.size();  // what comes to it meanwhile has to wait for the sockets
        for (std::size_t i = 0; i < count; ++i) acted(*all[i], all[i]->act_on_time());
        all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    }

    void wait(int patience) {
        if (lone_ && !lone_->poll(waiting_.sockets, patience)) return;
        waiting_.sockets.wait(lone_ ? 0 : patience);
        if (waiting_.sockets.more()) waiting_.now = now();
    }

    /// Goes on with one that is ready after the other, until a transfer is complete: each is seen through while the
    /// processor's caches have it. `came`: by when they all were ready; `never`: just now.
    void act_on_ready(time_point came) {
        came_ = came;
        while (complete_.empty()) {
            const std::optional<ready_descriptor> each = waiting_.sockets.next();
            if (!each) break;
            shard& s = *static_cast<shard*>(each->owner);
            acted(s, s.act(each->fd, each->ready));
        }
        came_ = never;
    }

    /// Whether there are timers that have run out.
    bool queue_due() noexcept {
        if (waiting_.now < waiting_.next) return false;
        waiting_.next = never;
        plain_.queue_due();
        secure_.queue_due();
        return !waiting_.at_once.empty();
    }

    /// In milliseconds.
    int patience(time_point until) const noexcept {
        if (!lone_) {
            if (!waiting_.at_once.empty()) return 0;
            until = std::min(until, waiting_.next);
        }
        if (!draining_.empty()) until = std::min(until, draining_.front()->drained_by);
        const auto left = std::min(until - waiting_.now, time_point::duration(std::chrono::hours(1)));
        // Rounded up: a wait that ends early would be asked for again and again.
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }

    void acted(shard& s, bool well) {
        while (const CURLMsg* m = s.next_over())
            over(static_cast<flight&>(transfer::of(m->easy_handle)), m->data.result);
        if (!well) fail(s);
    }

    void over(flight& f, CURLcode code) {
        shard& s = *f.in;
        leave(f);
        if (f.drained) {
            forget(f);
        } else if (f.end(code)) {
            s.home.remember_seat(f.origin, s);
            complete(f);
        } else {  // a redirect
            add(f, s);
        }
    }

    /// Lets go of one that was drained, and is over.
    void forget(flight& f) noexcept {
        f.step_out_of(draining_);
        retire(f);
    }

    void complete(flight& f) noexcept {
        f.over_at = complete_.empty() ? came_ : now();  // the first is told of at once
        complete_.splice(complete_.end(), f.own_place);
    }

    /// libcurl has given up on the multi handle.
    void fail(shard& s) {
        for (auto next = all_.begin(); next != all_.end();) {
            flight& f = *next++;  // first, as this one may go
            if (f.in == &s) over(f, CURLE_FAILED_INIT);
        }
        s.close();
    }

    void cut_overdue() noexcept {
        while (!draining_.empty() && draining_.front()->drained_by <= waiting_.now) {
            flight& f = *draining_.front();
            leave(f);
            forget(f);
        }
    }

    std::shared_ptr<const client_options> settings_;
    share_handle share_;
    waiting waiting_;
    // With https more share a multi handle, as each new one parses the trusted certificates anew, and meanwhile nothing
    // else goes on.
    shard_set plain_{waiting_, 64, settings_->max_idle_connections};
    shard_set secure_{waiting_, 512, settings_->max_idle_connections};

    flights all_;                // which never move: moving one between lists touches its neighbours, which are cold
    std::vector<flight*> idle_;  // the one used last at the end; with room for all
    line complete_;              // in the order in which they came
    line draining_;              // in that of their time
    std::size_t in_flight_ = 0;  // libcurl has so many of them

    shard* lone_ = nullptr;    // of the only transfer, for which libcurl itself waits: that costs less
    time_point came_ = never;  // what is acted on was ready by then, as completion::at tells

    detail::splitmix64 chance_{detail::entropy()};
    std::atomic<bool> woken_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
