#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "r2/curl/curl_transport.hpp"
#include "r2/curl/handles.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/policy/latency_log.hpp"
#include "r2/transport/transport_pool.hpp"

namespace r2::inline v0_2::detail::curl {

/// The transports of one client. Lends the one used last first: its connections are the likeliest to be alive.
class pool final : public transport_pool {
public:
    explicit pool(client_options settings) {
        initialise();
        if (settings.max_idle_connections <= 0) settings.max_idle_connections = 32;
        settings_ = std::make_shared<const client_options>(std::move(settings));
        idle_.reserve(static_cast<std::size_t>(settings_->max_idle_connections));
    }

    std::unique_ptr<transport> take() override {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<transport> t = std::move(idle_.back());
                idle_.pop_back();
                return t;
            }
        }
        auto t = std::make_unique<curl_transport>(settings_);
        return t->usable() ? std::move(t) : nullptr;
    }

    void give_back(std::unique_ptr<transport> t) noexcept override {
        static_cast<curl_transport&>(*t).close_idle();
        const std::lock_guard lock(mutex_);
        if (idle_.size() < idle_.capacity()) idle_.push_back(std::move(t));  // else t is destroyed, without the lock
    }

    detail::latency_log& latencies() noexcept override { return latencies_; }

private:
    std::shared_ptr<const client_options> settings_;
    detail::latency_log latencies_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<transport>> idle_;
};

}  // namespace r2::inline v0_2::detail::curl
