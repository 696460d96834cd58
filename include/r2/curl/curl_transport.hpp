#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "r2/curl/group_set.hpp"
#include "r2/curl/handles.hpp"
#include "r2/curl/pooled_transfer.hpp"
#include "r2/curl/reactor.hpp"
#include "r2/curl/single_transfer.hpp"
#include "r2/curl/transfer_pool.hpp"
#include "r2/curl/transfer_queues.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/random.hpp"

namespace r2::inline v0_2::detail::curl {

/// A transport on libcurl. One reactor waits for all groups of transfers; a transfer without company has a fast path.
class curl_transport final : public transport {
public:
    explicit curl_transport(std::shared_ptr<const client_options> settings)
        : settings_(std::move(settings)), share_(make_share()) {}
    ~curl_transport() override {
        for (std::size_t i = 0; i < transfers_.size(); ++i)
            if (multi_group* const g = transfers_[i].group) g->remove(transfers_[i].handle());
    }

    /// False if this process has no descriptors left.
    bool usable() const noexcept { return reactor_.sockets.usable(); }

    time_point now() noexcept override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() noexcept override { return std::chrono::system_clock::now(); }
    double chance() noexcept override { return chance_.unit(); }

    void start(ticket& t, const request& q, const transfer_limits& l) override {
        assert(!t.transfer && "a ticket carries one transfer at a time");
        end_fast_path();
        pooled_transfer& p = transfers_.idle();
        p.use_small_buffers(in_flight_ >= crowd);
        multi_group* const g = p.begin(q, l) ? &groups_for(p).group_for(q.url, p.origin) : nullptr;
        transfers_.take_idle();  // from here on nothing is thrown
        p.attach(t);
        if (g)
            add(p, *g);
        else
            complete(p);
    }

    attempt take(ticket& t) override {
        pooled_transfer& p = pooled_transfer::of(t);
        assert(!p.group && "take is for a complete transfer");
        attempt a = p.result();
        complete_.remove(p);
        transfers_.release(p);
        return a;
    }

    int cancel(ticket& t) noexcept override {
        pooled_transfer& p = pooled_transfer::of(t);
        const int sends = p.sends();
        if (p.group)
            remove(p);
        else
            complete_.remove(p);
        transfers_.release(p);
        return sends;
    }

    /// Receives only inside `wait_until`, which also ends overdue drains.
    int drain(ticket& t, std::shared_ptr<const request> kept, time_point until) noexcept override {
        pooled_transfer& p = pooled_transfer::of(t);
        if (!p.group || !p.is_sent() || until <= now()) return cancel(t);
        p.drain(std::move(kept));
        p.detach();
        draining_.add(p, until);
        return p.sends();
    }

    std::optional<completion> wait_until(time_point until) override {
        for (;;) {
            if (complete_.empty()) perform_due();
            handle_ready(reactor_.now);  // those that an earlier wait found
            if (!complete_.empty()) break;
            reactor_.now = now();
            cut_overdue();
            if (find_due()) continue;

            // Out of time or woken: looks once more, without blocking.
            const bool last = reactor_.is_woken() || reactor_.now >= until;
            wait(last ? 0 : timeout(until));
            handle_ready(just_now);
            if (!complete_.empty()) break;
            if (!last) continue;
            reactor_.take_wake();
            return std::nullopt;
        }
        return complete_.first();
    }

    void wake() noexcept override { reactor_.wake(); }

    /// Frees memory and connections that only many concurrent transfers need. Call it at the end of a range.
    void close_idle() noexcept {
        transfers_.close_idle();
        plain_.close_idle();
        secure_.close_idle();
        reactor_.sockets.shrink();
    }

private:
    /// From so many transfers in flight on, the next ones get small buffers.
    static constexpr std::size_t crowd = 8;

    group_set& groups_for(const transfer& t) noexcept { return t.is_secure() ? secure_ : plain_; }

    /// Hands a transfer to libcurl.
    void add(pooled_transfer& p, multi_group& g) {
        p.group = &g;
        const bool is_single = ++in_flight_ == 1;
        if (is_single) single_.begin(g);
        if (!g.owner.add(g, p.handle(), is_single ? driven_by::libcurl : driven_by::reactor))
            finish(p, CURLE_FAILED_INIT);
    }

    /// Takes a transfer back from libcurl.
    void remove(pooled_transfer& p) noexcept {
        multi_group& g = *std::exchange(p.group, nullptr);
        --in_flight_;
        if (single_) single_.end();
        g.owner.remove(g, p.handle());
    }

    /// Ends a hop.
    void finish(pooled_transfer& p, CURLcode code) {
        multi_group& g = *p.group;
        remove(p);
        if (p.is_draining()) {
            draining_.remove(p);
            transfers_.release(p);
        } else if (p.finish_hop(code)) {
            g.owner.add_affinity(p.origin, g);
            complete(p);
        } else {
            add(p, g);  // redirected
        }
    }

    void complete(pooled_transfer& p) noexcept {
        complete_.add(p, complete_.empty() ? ready_since_ : now());  // only the first is returned at once
    }

    void cut_overdue() {
        while (pooled_transfer* const p = draining_.overdue(reactor_.now)) finish(*p, CURLE_OPERATION_TIMEDOUT);
    }

    /// Finishes the transfers that libcurl is done with. `works`: as the group's call returned it.
    void finish_done(multi_group& g, bool works) {
        while (const CURLMsg* m = g.next_done())
            finish(static_cast<pooled_transfer&>(transfer::of(m->easy_handle)), m->data.result);
        if (works) return;
        for (std::size_t i = transfers_.size(); i-- > 0;)  // backwards, as finish may erase this one
            if (transfers_[i].group == &g) finish(transfers_[i], CURLE_FAILED_INIT);
        g.close();
    }

    /// A redirect may put the transfer on the fast path again.
    void end_fast_path() {
        while (single_) {
            multi_group& g = single_.group();
            finish_done(g, single_.hand_over());
        }
    }

    /// Does what can be done without waiting for a socket.
    void perform_due() {
        if (single_) {
            multi_group& g = single_.group();
            finish_done(g, single_.perform());
            return;
        }
        std::vector<multi_group*>& due = reactor_.due;
        const std::size_t count = due.size();  // those that become due meanwhile wait until the sockets had their turn
        for (std::size_t i = 0; i < count; ++i) finish_done(*due[i], due[i]->handle_timer());
        due.erase(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(count));
    }

    /// Notes which timers have run out. Returns whether there are any.
    bool find_due() noexcept {
        if (single_ || reactor_.now < reactor_.next_timer) return false;
        reactor_.next_timer = never;
        plain_.find_due();
        secure_.find_due();
        return !reactor_.due.empty();
    }

    void wait(int milliseconds) {
        if (single_) {
            if (!single_.poll(reactor_.sockets, milliseconds)) return;
            milliseconds = 0;
        }
        reactor_.wait(milliseconds);
    }

    /// Handles one ready socket after the other, until a transfer is complete: the caller continues with it while the
    /// processor's caches have it. `since`: as `completion::at`.
    void handle_ready(time_point since) {
        ready_since_ = since;
        while (complete_.empty()) {
            const std::optional<ready_descriptor> each = reactor_.sockets.next();
            if (!each) break;
            multi_group& g = *static_cast<multi_group*>(each->owner);
            finish_done(g, g.handle_socket(each->fd, each->ready));
        }
        ready_since_ = just_now;
    }

    /// How long `wait` may block, in milliseconds.
    int timeout(time_point until) const noexcept {
        until = std::min(until, draining_.next_limit());
        if (single_) return reactor_.milliseconds_until(until);
        return reactor_.due.empty() ? reactor_.milliseconds_until(std::min(until, reactor_.next_timer)) : 0;
    }

    std::shared_ptr<const client_options> settings_;
    share_handle share_;
    reactor reactor_;
    // https uses larger groups: every new multi handle parses the certificate authorities again, which blocks the
    // thread for some 30 ms.
    group_set plain_{reactor_, 64, settings_->max_idle_connections};
    group_set secure_{reactor_, 512, settings_->max_idle_connections};
    transfer_pool transfers_{*settings_, share_.get()};
    complete_queue complete_;
    draining_queue draining_;
    std::size_t in_flight_ = 0;  // those that libcurl has
    single_transfer single_;
    time_point ready_since_ = just_now;  // when the sockets that are handled were found ready

    splitmix64 chance_{entropy()};
};

}  // namespace r2::inline v0_2::detail::curl
