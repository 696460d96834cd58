/// Keeps many GETs in flight on one thread by libcurl alone. The baseline of many.
/// usage: many_bare shards PORT IN_FLIGHT COUNT     on multi handles of at most 64, under one epoll
///        many_bare single PORT IN_FLIGHT COUNT     on one multi handle, by curl_multi_poll
#include <curl/curl.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "many_cost.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

struct group;

struct transfer {
    CURL* easy = nullptr;
    group* in = nullptr;
    std::string url;
    std::string head;
    std::string body;
};

struct group {
    CURLM* multi = curl_multi_init();
    int epoll = -1;
    clock_type::time_point due = clock_type::time_point::max();
};

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<transfer*>(to)->body.append(data, size * count);
    return size * count;
}

std::size_t append_head(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<transfer*>(to)->head.append(data, size * count);
    return size * count;
}

int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
    group& g = *static_cast<group*>(self);
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(g.epoll, EPOLL_CTL_DEL, fd, nullptr);
        return 0;
    }
    epoll_event e = {};
    e.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    auto* const entry = known ? known : new std::pair<int, group*>(fd, &g);
    if (!known) curl_multi_assign(g.multi, fd, entry);
    e.data.ptr = entry;
    if (epoll_ctl(g.epoll, EPOLL_CTL_ADD, fd, &e) != 0) epoll_ctl(g.epoll, EPOLL_CTL_MOD, fd, &e);
    return 0;
}

int on_timer(CURLM*, long milliseconds, void* self) {
    group& g = *static_cast<group*>(self);
    g.due =
        milliseconds < 0 ? clock_type::time_point::max() : clock_type::now() + std::chrono::milliseconds(milliseconds);
    return 0;
}

class loop {
public:
    loop(bool sharded, const char* port, int in_flight, int count)
        : sharded_(sharded),
          base_(std::string("http://127.0.0.1:") + port + "/jobs/"),
          left_(count + in_flight),
          cost_(2 * in_flight, count - in_flight) {
        const int groups = sharded ? (in_flight + 63) / 64 : 1;
        for (int i = 0; i < groups; ++i) {
            group& g = *groups_.emplace_back(std::make_unique<group>());
            g.epoll = epoll_;
            curl_multi_setopt(g.multi, CURLMOPT_MAXCONNECTS, sharded ? 64L : static_cast<long>(in_flight));
            if (!sharded) continue;
            curl_multi_setopt(g.multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
            curl_multi_setopt(g.multi, CURLMOPT_SOCKETDATA, &g);
            curl_multi_setopt(g.multi, CURLMOPT_TIMERFUNCTION, &on_timer);
            curl_multi_setopt(g.multi, CURLMOPT_TIMERDATA, &g);
        }
        fields_ = curl_slist_append(nullptr, "Accept: application/json");
        transfers_.resize(static_cast<std::size_t>(in_flight));
        for (int i = 0; i < in_flight; ++i) {
            transfer& t = transfers_[static_cast<std::size_t>(i)];
            t.easy = curl_easy_init();
            t.in = groups_[static_cast<std::size_t>(i / (sharded ? 64 : in_flight))].get();
            curl_easy_setopt(t.easy, CURLOPT_PRIVATE, &t);
            curl_easy_setopt(t.easy, CURLOPT_NOSIGNAL, 1L);
            curl_easy_setopt(t.easy, CURLOPT_HTTPHEADER, fields_);
            curl_easy_setopt(t.easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
            curl_easy_setopt(t.easy, CURLOPT_TIMEOUT_MS, 20000L);
            curl_easy_setopt(t.easy, CURLOPT_WRITEFUNCTION, &append_body);
            curl_easy_setopt(t.easy, CURLOPT_WRITEDATA, &t);
            curl_easy_setopt(t.easy, CURLOPT_HEADERFUNCTION, &append_head);
            curl_easy_setopt(t.easy, CURLOPT_HEADERDATA, &t);
            start(t);
        }
    }

    int run() {
        while (running_ > 0) {
            if (sharded_)
                act_on_events();
            else
                act_on_all();
        }
        return cost_.print(good_);
    }

private:
    void start(transfer& t) {
        if (left_ == 0) return;
        t.url = base_ + std::to_string(left_--);
        t.head.clear();
        t.body.clear();
        curl_easy_setopt(t.easy, CURLOPT_URL, t.url.c_str());
        curl_multi_add_handle(t.in->multi, t.easy);
        ++running_;
    }

    void collect(group& g) {
        int waiting = 0;
        while (CURLMsg* m = curl_multi_info_read(g.multi, &waiting)) {
            if (m->msg != CURLMSG_DONE) continue;
            const CURLcode code = m->data.result;
            char* mine = nullptr;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &mine);
            transfer& t = *reinterpret_cast<transfer*>(mine);
            long status = 0;
            curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
            good_ += code == CURLE_OK && status == 200 && !t.body.empty() && !t.head.empty();
            curl_multi_remove_handle(g.multi, t.easy);
            --running_;
            cost_.count();
            start(t);
        }
    }

    void act_on_events() {
        int still = 0;
        auto now = clock_type::now(), next = clock_type::time_point::max();
        for (const auto& g : groups_) {
            if (g->due <= now) {
                g->due = clock_type::time_point::max();
                curl_multi_socket_action(g->multi, CURL_SOCKET_TIMEOUT, 0, &still);
                collect(*g);
            }
            next = std::min(next, g->due);
        }
        const auto patience = std::chrono::ceil<std::chrono::milliseconds>(next - clock_type::now()).count();
        std::array<epoll_event, 256> events = {};
        const int count = epoll_wait(epoll_, events.data(), 256,
                                     patience < 0      ? 0
                                     : patience > 1000 ? 1000
                                                       : static_cast<int>(patience));
        for (int i = 0; i < count; ++i) {
            const epoll_event& e = events[static_cast<std::size_t>(i)];
            const auto& entry = *static_cast<std::pair<int, group*>*>(e.data.ptr);
            const int ready =
                (e.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (e.events & ~EPOLLOUT ? CURL_CSELECT_IN : 0);
            curl_multi_socket_action(entry.second->multi, entry.first, ready, &still);
            collect(*entry.second);
        }
    }

    void act_on_all() {
        int still = 0;
        curl_multi_perform(groups_[0]->multi, &still);
        collect(*groups_[0]);
        curl_multi_poll(groups_[0]->multi, nullptr, 0, 1000, nullptr);
    }

    const bool sharded_;
    const std::string base_;
    const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::unique_ptr<group>> groups_;
    std::vector<transfer> transfers_;
    curl_slist* fields_ = nullptr;
    int left_;
    int running_ = 0;
    int good_ = 0;
    bench::cost cost_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: many_bare shards|single PORT IN_FLIGHT COUNT\n";
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return loop(std::string_view(argv[1]) == "shards", argv[2], std::atoi(argv[3]), std::atoi(argv[4])).run();
}
