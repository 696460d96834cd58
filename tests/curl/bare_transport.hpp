#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "curl/fixture.hpp"
#include "r2/curl/curl_transport.hpp"

namespace r2::testkit {

/// Holds responses back until it is opened.
class gate {
public:
    answer pass(answer a) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, patience, [&] { return open_; });
        return a;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

/// Blocks until `count` threads wait.
class barrier {
public:
    explicit barrier(int count) : missing_(count) {}
    void wait() {
        std::unique_lock lock(mutex_);
        --missing_;
        changed_.notify_all();
        changed_.wait_for(lock, patience, [&] { return missing_ <= 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int missing_;
};

using r2::detail::ticket;

/// A transport that the test drives itself.
class bare_transport {
public:
    bare_transport() { EXPECT_TRUE(all_.usable()); }

    r2::detail::curl::curl_transport* operator->() noexcept { return &all_; }

    ticket* get(const std::string& url) {
        requests_.push_back(std::make_shared<const request>(request{"GET", url}));
        return start(requests_.back());
    }
    /// Starts a transfer. Keep the request alive.
    ticket* start(const std::shared_ptr<const request>& q) {
        ticket* const t = tickets_.emplace_back(std::make_unique<ticket>()).get();
        all_.start(*t, *q, {});
        return t;
    }
    std::shared_ptr<const request> last() const { return requests_.back(); }

    /// Drives the transport until `there` holds, and takes no transfer.
    template <class F> bool go_on_until(F there) {
        const time_point late = all_.now() + patience;
        while (!there() && all_.now() < late) all_.wait_until(all_.now() + std::chrono::milliseconds(5));
        return there();
    }

    attempt finish(ticket* t) {
        const time_point late = all_.now() + patience;
        while (all_.now() < late)
            if (const auto c = all_.wait_until(late); c && c->which == t) {
                return all_.take(*t);
            } else if (c) {
                ADD_FAILURE() << "another one is complete";
                break;
            }
        return attempt(error(errc::timeout));
    }

private:
    static std::shared_ptr<const client_options> settings() {
        r2::detail::curl::initialise();
        return std::make_shared<const client_options>(client_options{.max_idle_connections = 32});
    }

    r2::detail::curl::curl_transport all_{settings()};
    std::vector<std::shared_ptr<const request>> requests_;
    std::vector<std::unique_ptr<ticket>> tickets_;
};

}  // namespace r2::testkit
