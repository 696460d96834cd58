#pragma once

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "r2/curl/client_options.hpp"
#include "r2/curl/handles.hpp"
#include "r2/curl/transfer.hpp"
#include "r2/engine.hpp"
#include "r2/words/chance.hpp"

namespace r2::curl {

/// An engine on one multi handle, which keeps the connections and is also the sleep that can be interrupted.
class multi_engine final : public engine {
public:
    explicit multi_engine(std::shared_ptr<const client_options> settings)
        : settings_(std::move(settings)), multi_(curl_multi_init()) {
        if (!multi_) return;
        curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(settings_->max_idle_connections));
#ifdef CURLMOPT_QUICK_EXIT
        curl_multi_setopt(multi_.get(), CURLMOPT_QUICK_EXIT, 1L);
#endif
    }
    ~multi_engine() override {
        for (const auto& each : running_) curl_multi_remove_handle(multi_.get(), each->handle());
    }

    /// Whether it can be woken: a multi handle that found no descriptors for that looks as good as any.
    bool usable() const noexcept { return multi_ && curl_multi_wakeup(multi_.get()) == CURLM_OK; }

    time_point now() noexcept override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() noexcept override { return std::chrono::system_clock::now(); }
    double chance() noexcept override { return chance_.unit(); }

    transfer_id start(const request& q, const limits& l) override {
        const transfer_id id{++last_id_};
        running_.reserve(running_.size() + 1);
        std::unique_ptr<transfer> t = take_idle();
        if (error bad = t->begin(id, q, l)) {
            finish(std::move(t), attempt(std::move(bad)));
            return id;
        }
        curl_multi_add_handle(multi_.get(), t->handle());
        running_.push_back(std::move(t));
        return id;
    }

    int cancel(transfer_id id) noexcept override {
        std::erase_if(finished_, [&](const completion& c) { return c.id == id; });
        const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& t) { return t->id() == id; });
        if (found == running_.end()) return 0;
        const int sends = (*found)->sends();
        curl_multi_remove_handle(multi_.get(), (*found)->handle());
        put_idle(std::move(*found));
        running_.erase(found);
        return sends;
    }

    std::optional<completion> wait_until(time_point until) override {
        for (;;) {
            if (!running_.empty()) perform();
            if (!finished_.empty()) {
                completion first = std::move(finished_.front());
                finished_.erase(finished_.begin());
                return first;
            }
            const time_point now = this->now();
            if (woken_.exchange(false, std::memory_order_acquire) || now >= until) return std::nullopt;
            const auto left = std::min(until - now, time_point::duration(std::chrono::hours(1)));
            // Rounded up: a wait that ends early would be asked for again and again.
            const auto patience = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
            if (curl_multi_poll(multi_.get(), nullptr, 0, patience, nullptr) != CURLM_OK) ::poll(nullptr, 0, 1);
        }
    }

    void wake() noexcept override {
        woken_.store(true, std::memory_order_release);
        curl_multi_wakeup(multi_.get());
    }

private:
    void perform() {
        int running = 0;
        if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return fail_all();
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
            if (message->msg == CURLMSG_DONE) hop_done(transfer::of(message->easy_handle), message->data.result);
    }

    void hop_done(transfer& t, CURLcode code) {
        curl_multi_remove_handle(multi_.get(), t.handle());
        std::optional<attempt> result = t.end(code);
        if (!result) {
            curl_multi_add_handle(multi_.get(), t.handle());
            return;
        }
        const auto place = std::find_if(running_.begin(), running_.end(), [&](const auto& each) { return each.get() == &t; });
        std::unique_ptr<transfer> done = std::move(*place);
        running_.erase(place);
        finish(std::move(done), std::move(*result));
    }

    void fail_all() {
        while (!running_.empty()) {
            std::unique_ptr<transfer> t = std::move(running_.back());
            running_.pop_back();
            curl_multi_remove_handle(multi_.get(), t->handle());
            const sent how_far = t->sends() > 0 ? sent::maybe : sent::no;
            finish(std::move(t), attempt(error(errc::local, "libcurl can't go on", how_far)));
        }
    }

    void finish(std::unique_ptr<transfer> t, attempt result) {
        finished_.push_back({t->id(), std::move(result), t->sends()});
        put_idle(std::move(t));
    }

    std::unique_ptr<transfer> take_idle() {
        if (idle_.empty()) return std::make_unique<transfer>(*settings_);
        std::unique_ptr<transfer> t = std::move(idle_.back());
        idle_.pop_back();
        return t;
    }

    void put_idle(std::unique_ptr<transfer> t) noexcept {
        t->release();
        if (t->reusable() && idle_.empty()) idle_.push_back(std::move(t));
    }

    std::shared_ptr<const client_options> settings_;
    multi_handle multi_;
    std::vector<std::unique_ptr<transfer>> running_;
    std::vector<std::unique_ptr<transfer>> idle_;
    std::vector<completion> finished_;
    std::uint64_t last_id_ = 0;
    detail::splitmix64 chance_{detail::entropy()};
    std::atomic<bool> woken_ = false;
};

}  // namespace r2::curl
