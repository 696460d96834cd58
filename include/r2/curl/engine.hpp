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
template <class T = void> class multi_engine final : public engine {
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
        while (!transfers_.empty()) cancel(transfers_.back()->id());
    }

    /// Whether it can be woken: a multi handle that found no descriptors for that looks as good as any.
    bool usable() const noexcept { return multi_ && curl_multi_wakeup(multi_.get()) == CURLM_OK; }

    time_point now() noexcept override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() noexcept override { return std::chrono::system_clock::now(); }
    double chance() noexcept override { return chance_.unit(); }

    transfer_id start(const request& q, const limits& l, void* owner) override {
        const transfer_id id{++last_id_};
        complete_.reserve(transfers_.size() + 1);
        transfers_.reserve(transfers_.size() + 1);  // from here on, nothing throws that would leave one behind
        std::unique_ptr<transfer<T>> t = take_idle();
        const bool ready = t->begin(id, q, l, owner);
        transfers_.push_back(std::move(t));
        if (ready)
            add(*transfers_.back());
        else
            complete_.push_back(id);
        return id;
    }

    void take(transfer_id id, std::optional<attempt>& into) override {
        const returned done(*this, id);
        std::erase(complete_, id);
        done->result(into);
    }

    int cancel(transfer_id id) noexcept override {
        const returned cut(*this, id);
        if (std::erase(complete_, id) == 0) stop(*cut);
        return cut->sends();
    }

    std::optional<completion> wait_until(time_point until) override {
        for (;;) {
            if (complete_.empty() && running_ > 0) perform();  // which looks at all that run
            if (!complete_.empty()) return completion{complete_.front(), find(complete_.front())->get()->owner()};
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
            if (message->msg == CURLMSG_DONE) hop_done(transfer<T>::of(message->easy_handle), message->data.result);
    }

    void add(transfer<T>& t) {
        ++running_;
        if (curl_multi_add_handle(multi_.get(), t.handle()) != CURLM_OK) hop_done(t, CURLE_FAILED_INIT);
    }

    void hop_done(transfer<T>& t, CURLcode code) {
        stop(t);
        if (!t.end(code))
            add(t);
        else
            complete_.push_back(t.id());
    }

    void stop(transfer<T>& t) noexcept {
        curl_multi_remove_handle(multi_.get(), t.handle());
        --running_;
    }

    void fail_all() {
        for (const auto& t : transfers_) {
            if (std::find(complete_.begin(), complete_.end(), t->id()) != complete_.end()) continue;
            stop(*t);
            t->end(CURLE_FAILED_INIT);
            complete_.push_back(t->id());
        }
    }

    /// A transfer on its way back from its user; made idle in the end.
    class returned {
    public:
        returned(multi_engine& engine, transfer_id id) noexcept : engine_(engine), place_(engine.find(id)) {}
        returned(returned&&) = delete;
        ~returned() {
            (*place_)->release();
            if ((*place_)->reusable() && !engine_.idle_) engine_.idle_ = std::move(*place_);
            engine_.transfers_.erase(place_);
        }

        transfer<T>* operator->() const noexcept { return place_->get(); }
        transfer<T>& operator*() const noexcept { return **place_; }

    private:
        multi_engine& engine_;
        std::vector<std::unique_ptr<transfer<T>>>::iterator place_;
    };

    auto find(transfer_id id) noexcept {
        return std::find_if(transfers_.begin(), transfers_.end(), [id](const auto& t) { return t->id() == id; });
    }

    std::unique_ptr<transfer<T>> take_idle() {
        return idle_ ? std::move(idle_) : std::make_unique<transfer<T>>(*settings_);
    }

    std::shared_ptr<const client_options> settings_;
    multi_handle multi_;
    std::vector<std::unique_ptr<transfer<T>>> transfers_;  // running or complete
    std::vector<transfer_id> complete_;
    std::unique_ptr<transfer<T>> idle_;  // one for the next range: with a handle made, and set
    int running_ = 0;
    std::uint64_t last_id_ = 0;
    detail::splitmix64 chance_{detail::entropy()};
    std::atomic<bool> woken_ = false;
};

}  // namespace r2::curl
