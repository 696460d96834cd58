#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "r2/curl/handles.hpp"
#include "r2/curl/intrusive_list.hpp"
#include "r2/curl/reactor.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail::curl {

class group_set;

/// The party that waits for a transfer: the reactor, or libcurl itself (see `single_transfer`).
enum class driven_by { reactor, libcurl };

/// A multi handle with some of a transport's transfers, and their connections. libcurl's cost of a transfer grows with
/// the number of transfers on its multi handle, so groups are small.
class multi_group : public list_node {
public:
    /// `most`: the number of transfers that it has room for.
    multi_group(reactor& r, group_set& set, int most, int max_idle)
        : owner(set), room(most), room_for_any(most / 4 * 3), reactor_(r), max_idle_(max_idle) {
        reactor_.due.reserve(2 * (reactor_.groups + 1));  // twice: each may become due again while all are handled
        ++reactor_.groups;
    }
    multi_group(multi_group&&) = delete;
    ~multi_group() {
        close();  // first: libcurl may set a timer even now
        std::erase(reactor_.due, this);
        --reactor_.groups;
    }

    group_set& owner;

    /// The limit of transfers, and of connections while transfers run.
    const int room;

    /// Up to this size it takes any transfer. The rest of its room is for transfers whose connection is here.
    const int room_for_any;

    int size() const noexcept { return size_; }

    /// The multi handle; null before the first transfer and after `close`.
    CURLM* handle() const noexcept { return multi_.get(); }

    /// Adds a transfer, which starts it. Returns false if there is no memory; the transfer is counted all the same.
    bool add(CURL* easy, driven_by by) noexcept {
        ++size_;
        if (!multi_ && !open()) return false;
        if (by == driven_by::reactor) report_timers();
        if (size_ > connections_) limit_connections(room);  // else libcurl closes a wave's connections before the next
        return curl_multi_add_handle(multi_.get(), easy) == CURLM_OK;
    }
    void remove(CURL* easy) noexcept {
        --size_;
        if (multi_) curl_multi_remove_handle(multi_.get(), easy);
    }

    /// Lets libcurl read and write a ready socket. Returns false if the multi handle is broken: all transfers failed.
    bool handle_socket(int fd, int ready) noexcept {
        if (!multi_) return true;
        int running = 0;
        return curl_multi_socket_action(multi_.get(), fd, ready, &running) == CURLM_OK;
    }

    /// Lets libcurl act on its timer. Returns false as `handle_socket` does.
    bool handle_timer() noexcept {
        timer_ = never;
        is_due_ = false;
        return handle_socket(CURL_SOCKET_TIMEOUT, 0);
    }

    /// Returns a transfer that is done, once each; null if there is none.
    CURLMsg* next_done() noexcept {
        int left = 0;
        for (CURLMsg* m = nullptr; multi_ && (m = curl_multi_info_read(multi_.get(), &left)) != nullptr;)
            if (m->msg == CURLMSG_DONE) return m;
        return nullptr;
    }

    /// When libcurl's timer runs out; `never` if none is set.
    time_point timer() const noexcept { return timer_; }

    /// Puts the group among those that are due.
    void set_due() noexcept {
        if (!is_due_) reactor_.due.push_back(this);
        is_due_ = true;
    }

    /// Makes libcurl report its timers from now on.
    void report_timers() noexcept {
        if (std::exchange(reports_timers_, true)) return;
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &on_timer);
    }

    /// Closes idle connections beyond `max_idle`, now and until more transfers than that run.
    void close_idle() noexcept {
        if (connections_ > max_idle_) limit_connections(max_idle_);
    }

    /// Closes all connections. Call it when no transfer is left. The next transfer opens the multi handle anew.
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
#if LIBCURL_VERSION_NUM >= 0x081400
        curl_multi_setopt(m, CURLMOPT_QUICK_EXIT, 1L);  // else a hung name look-up blocks curl_multi_cleanup
#endif
        limit_connections(max_idle_);
        return true;
    }

    /// At most so many connections, but at least `max_idle`.
    void limit_connections(int most) noexcept {
        connections_ = std::max(most, max_idle_);
        if (multi_) curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(connections_));
    }

    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
        multi_group& g = *static_cast<multi_group*>(self);
        return g.reactor_.sockets.watch(fd, what == CURL_POLL_REMOVE ? 0 : what, &g) ? 0 : -1;
    }

    static int on_timer(CURLM*, long milliseconds, void* self) noexcept {
        multi_group& g = *static_cast<multi_group*>(self);
        g.timer_ = never;
        if (milliseconds == 0) g.set_due();
        if (milliseconds <= 0) return 0;
        // From the last wait on, so it may be early: libcurl then sets it again.
        g.timer_ = later(g.reactor_.now, std::chrono::milliseconds(milliseconds));
        g.reactor_.next_timer = std::min(g.reactor_.next_timer, g.timer_);
        return 0;
    }

    reactor& reactor_;
    const int max_idle_;
    int connections_ = 0;
    int size_ = 0;
    time_point timer_ = never;
    bool is_due_ = false;
    bool reports_timers_ = false;
    multi_handle multi_;  // last: its callbacks use the members above
};

}  // namespace r2::inline v0_2::detail::curl
