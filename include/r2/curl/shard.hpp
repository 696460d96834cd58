#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <utility>
#include <vector>

#include "r2/curl/handles.hpp"
#include "r2/curl/readiness.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

class shard;
class shard_set;

/// What the shards of one transport wait for.
struct waiting {
    readiness sockets;
    std::vector<shard*> at_once;  // those that libcurl wants to go on at once, with room for all
    std::size_t shards = 0;       // there are so many
    time_point next = never;      // no other timer is due before
    time_point now = {};          // as of the last wait
};

/// Some of an transport's transfers, on one multi handle, which keeps their connections. What libcurl does for one
/// transfer grows with how many share its handle: so few share one.
class shard {
public:
    shard(waiting& w, shard_set& set, int most, int max_idle)
        : home(set), room(most), room_for_any(most / 4 * 3), waiting_(w), max_idle_(max_idle) {
        waiting_.at_once.reserve(2 * (waiting_.shards + 1));  // twice over: each may be queued again while all act
        ++waiting_.shards;
    }
    shard(shard&&) = delete;
    ~shard() {
        close();  // first, as libcurl may set a timer even now
        std::erase(waiting_.at_once, this);
        --waiting_.shards;
    }

    shard_set& home;
    typename std::list<shard>::iterator self = {};

    /// So many transfers at most; and while some run, so many connections.
    const int room;

    /// Up to here it takes any; what is left is for those whose connection is here.
    const int room_for_any;

    int size() const noexcept { return size_; }

    /// False where there is no memory. `alone`: it is the transport's only transfer, and the calls for such a one
    /// follow.
    bool add(CURL* easy, bool alone) noexcept {
        ++size_;
        if (!multi_ && !open()) return false;
        if (!alone) report_timers();
        if (size_ > connections_) keep(room);  // else those of one wave are dropped before the next
        return curl_multi_add_handle(multi_.get(), easy) == CURLM_OK;
    }
    void remove(CURL* easy) noexcept {
        --size_;
        if (multi_) curl_multi_remove_handle(multi_.get(), easy);
    }

    /// Goes on with what is ready. False where libcurl can't: then all in it failed.
    bool act(int fd, int ready) noexcept {
        if (!multi_) return true;
        int running = 0;
        return curl_multi_socket_action(multi_.get(), fd, ready, &running) == CURLM_OK;
    }
    /// The same with what is `due`.
    bool act_on_time() noexcept {
        due_ = never;
        queued_ = false;
        return act(CURL_SOCKET_TIMEOUT, 0);
    }

    // For the transport's only transfer, libcurl itself waits: that costs less.

    /// Goes on with it. False as with `act`.
    bool perform() noexcept {
        int running = 0;
        return curl_multi_perform(multi_.get(), &running) == CURLM_OK;
    }
    /// Blocks until it can go on, or `others` are ready or woken, or for so many milliseconds. Whether it was `others`.
    bool poll(readiness& others, int patience) noexcept {
        curl_waitfd extra = {others.fd(), CURL_WAIT_POLLIN, 0};
        curl_multi_poll(multi_.get(), &extra, 1, patience, nullptr);
        return extra.revents != 0;
    }
    /// It is no longer alone, and is waited for as all others are. False as with `act`.
    bool watch() noexcept {
        report_timers();
        int running = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // nothing else makes it tell of what it has in progress
        return curl_multi_socket_all(multi_.get(), &running) == CURLM_OK;
#pragma GCC diagnostic pop
    }

    /// Null where no other transfer is over.
    CURLMsg* next_over() noexcept {
        int left = 0;
        for (CURLMsg* m = nullptr; multi_ && (m = curl_multi_info_read(multi_.get(), &left)) != nullptr;)
            if (m->msg == CURLMSG_DONE) return m;
        return nullptr;
    }

    /// When to `queue` it; `never`: libcurl has set no timer.
    time_point due() const noexcept { return due_; }

    /// Has the transport call `act_on_time`.
    void queue() noexcept {
        if (!queued_) waiting_.at_once.push_back(this);
        queued_ = true;
    }

    /// No range needs it now: from here on it keeps `max_idle` connections.
    void rest() noexcept {
        if (connections_ > max_idle_) keep(max_idle_);
    }

    /// Closes all connections; once nothing is in it. The next transfer opens it anew.
    void close() noexcept { multi_.reset(); }

private:
    static_assert(readable == CURL_POLL_IN && writable == CURL_POLL_OUT);
    static_assert(readable == CURL_CSELECT_IN && writable == CURL_CSELECT_OUT);

    bool open() noexcept {
        multi_.reset(curl_multi_init());
        if (!multi_) return false;
        CURLM* const m = multi_.get();
        curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, &on_socket);
        curl_multi_setopt(m, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(m, CURLMOPT_TIMERDATA, this);
        reports_timers_ = false;
#ifdef CURLMOPT_QUICK_EXIT
        curl_multi_setopt(m, CURLMOPT_QUICK_EXIT, 1L);
#endif
        keep(max_idle_);
        return true;
    }

    /// Has libcurl tell of its timers: a transfer that is alone does without.
    void report_timers() noexcept {
        if (!std::exchange(reports_timers_, true)) curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &on_timer);
    }

    /// At most so many connections, but `max_idle` in any case.
    void keep(int connections) noexcept {
        connections_ = std::max(connections, max_idle_);
        if (multi_) curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(connections_));
    }

    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
        shard& s = *static_cast<shard*>(self);
        return s.waiting_.sockets.watch(fd, what == CURL_POLL_REMOVE ? 0 : what, &s) ? 0 : -1;
    }

    static int on_timer(CURLM*, long milliseconds, void* self) noexcept {
        shard& s = *static_cast<shard*>(self);
        s.due_ = never;
        if (milliseconds == 0) s.queue();
        if (milliseconds <= 0) return 0;
        // Told a little early, libcurl asks again.
        s.due_ = later(s.waiting_.now, std::chrono::milliseconds(milliseconds));
        s.waiting_.next = std::min(s.waiting_.next, s.due_);
        return 0;
    }

    waiting& waiting_;
    const int max_idle_;
    int connections_ = 0;
    int size_ = 0;
    time_point due_ = never;
    bool queued_ = false;
    bool reports_timers_ = false;
    multi_handle multi_;  // last, as it refers to what is above
};

}  // namespace r2::inline v0_2::detail::curl
