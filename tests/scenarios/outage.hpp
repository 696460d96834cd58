#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <r2/policy/latency_log.hpp>
#include <r2/r2.hpp>
#include <r2/transport/transport.hpp>

namespace r2::testkit {

/// One clock for many threads, of which one runs at a time: that whose time comes first, or else that fell asleep
/// first. So a thread for each range, which blocks as a real one does, and still the same execution each time.
class conductor {
public:
    explicit conductor(time_point begins) : now_(begins) {}

    time_point now() const noexcept { return now_; }

    /// Runs part(0) … part(n - 1), each on a thread of its own, until all are over.
    void perform(int n, const std::function<void(int)>& part) {
        turns_ = std::vector<turn>(static_cast<std::size_t>(n));
        std::vector<std::jthread> threads;
        for (int i = 0; i < n; ++i) {
            line_up(now_, i);
            threads.emplace_back([this, &part, i] {
                turn_of(i).wait();
                part(i);
                pass_on();
            });
        }
        pass_on();
    }

    /// For the thread that runs.
    void sleep_until(time_point t) {
        const int self = running_;
        line_up(std::max(t, now_), self);
        pass_on();
        turn_of(self).wait();
    }

private:
    class turn {
    public:
        void give() {
            {
                const std::lock_guard lock(mutex_);
                given_ = true;
            }
            changed_.notify_one();  // unlocked, or who wakes waits once more
        }
        void wait() {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return given_; });
            given_ = false;
        }

    private:
        std::mutex mutex_;
        std::condition_variable changed_;
        bool given_ = false;
    };

    using place = std::tuple<time_point, std::uint64_t, int>;

    turn& turn_of(int i) { return turns_[static_cast<std::size_t>(i)]; }
    void line_up(time_point t, int i) { line_.emplace(t, ++lined_up_, i); }

    /// The last thing that a thread does before it waits or ends.
    void pass_on() {
        if (line_.empty()) return;
        const auto [time, order, next] = line_.top();
        line_.pop();
        now_ = time;
        running_ = next;
        turn_of(next).give();
    }

    // Touched by the thread that runs alone; the turn orders it before the next one.
    time_point now_;
    int running_ = 0;
    std::uint64_t lined_up_ = 0;
    std::priority_queue<place, std::vector<place>, std::greater<>> line_;
    std::vector<turn> turns_;
};

/// 100 clients of one server, which fails for a minute. Each makes a call about once a second, or when the one before
/// is over.
class outage {
public:
    /// The requests that the server saw, and the results of the calls.
    struct figures {
        int requests = 0;
        int requests_in_outage = 0;
        int given_up_in_outage = 0;  ///< Calls without a 200 in the end, of those that began in the outage.
        int given_up_else = 0;       ///< The same, of those that began before or after it.
        int held_back_else = 0;      ///< Of these, the ones that a guard refused, or made wait past their deadline.
        duration recovery = {};      ///< From the end of the outage, until in every second 80 of the 100 succeed.

        friend bool operator==(const figures&, const figures&) = default;
    };

    /// Plays it with calls that have these options. The server answers a request in the outage with `status` after
    /// 10 ms; any other with 200 after 50 ms, but one of a hundred with 503, so that retries are of use.
    static figures play(const options& o, int status);

private:
    class server_engine;
    class pool;
    class caller;

    struct answer {
        int status;
        time_point at;
    };

    struct call {
        time_point began;
        time_point over;
        ended why;
    };

    static constexpr int clients = 100;
    static constexpr time_point begins = time_point(std::chrono::hours(24));
    static constexpr time_point breaks = begins + std::chrono::seconds(10);
    static constexpr time_point heals = breaks + std::chrono::seconds(60);
    static constexpr time_point ends = heals + std::chrono::seconds(20);

    explicit outage(int status) : status_(status) {}

    static bool in_outage(time_point t) noexcept { return t >= breaks && t < heals; }

    answer serve() {
        const time_point now = clock_.now();
        ++seen_.requests;
        seen_.requests_in_outage += in_outage(now);
        if (in_outage(now)) return {status_, now + std::chrono::milliseconds(10)};
        return {luck_.unit() < 0.01 ? 503 : 200, now + std::chrono::milliseconds(50)};
    }

    void keep_calling(const client& c, const options& o, int number) {
        r2::detail::splitmix64 pauses(static_cast<std::uint64_t>(number));  // the same whatever the options
        const auto pause = [&](double least, double most) {
            return r2::detail::saturated((least + (most - least) * pauses.unit()) * 1e9);
        };
        time_point next = begins + pause(0, 1);
        while (next < ends) {
            clock_.sleep_until(next);
            const time_point began = clock_.now();
            const ended why = c.get("http://server.test/", o).finish().ended();
            calls_.push_back({began, clock_.now(), why});
            next = std::max(next + pause(0.8, 1.2), clock_.now());
        }
    }

    figures sum_up() const {
        figures f = seen_;
        for (const call& each : calls_) {
            if (each.why == ended::succeeded) continue;
            const bool held_back = each.why == ended::refused || each.why == ended::deadline;
            if (in_outage(each.began))
                ++f.given_up_in_outage;
            else
                ++f.given_up_else, f.held_back_else += held_back;
        }
        constexpr std::chrono::milliseconds step(100);
        for (time_point t = heals; t + std::chrono::seconds(1) <= ends; t += step)
            if (successes(t, t + std::chrono::seconds(1)) < 80) f.recovery = t + step - heals;
        return f;
    }

    std::ptrdiff_t successes(time_point from, time_point until) const {
        return std::count_if(calls_.begin(), calls_.end(), [&](const call& each) {
            return each.why == ended::succeeded && each.over >= from && each.over < until;
        });
    }

    const int status_;
    conductor clock_{begins};
    r2::detail::splitmix64 luck_{4};  // of the server and of all jitter
    figures seen_;
    std::vector<call> calls_;
};

/// Sends to the server of an outage.
class outage::server_engine final : public r2::detail::transport {
public:
    explicit server_engine(outage& world) : world_(world) {}

    time_point now() noexcept override { return world_.clock_.now(); }
    wall_time wall_now() noexcept override { return wall_time(now().time_since_epoch()); }
    double chance() noexcept override { return world_.luck_.unit(); }

    void start(r2::detail::ticket& t, const request&, const r2::detail::transfer_limits&) override {
        which_ = &t;
        in_flight_ = world_.serve();
    }
    std::optional<r2::detail::completion> wait_until(time_point until) override {
        world_.clock_.sleep_until(in_flight_ ? std::min(until, in_flight_->at) : until);
        return in_flight_ && in_flight_->at <= now() ? std::optional(r2::detail::completion{which_, in_flight_->at})
                                                     : std::nullopt;
    }
    attempt take(r2::detail::ticket&) override {
        return attempt(response{.status = std::exchange(in_flight_, std::nullopt)->status}, 1);
    }
    int cancel(r2::detail::ticket&) noexcept override {
        in_flight_.reset();
        return 1;
    }
    void wake() noexcept override {}  // nothing here is stopped

private:
    outage& world_;
    r2::detail::ticket* which_ = nullptr;
    std::optional<answer> in_flight_;
};

class outage::pool final : public r2::detail::transport_pool {
public:
    explicit pool(outage& world) : world_(world) {}

    std::unique_ptr<r2::detail::transport> take() override { return std::make_unique<server_engine>(world_); }
    void give_back(std::unique_ptr<r2::detail::transport>) noexcept override {}
    r2::detail::latency_log& latencies() noexcept override { return latencies_; }

private:
    outage& world_;
    r2::detail::latency_log latencies_;
};

class outage::caller final : public client {
public:
    explicit caller(outage& world) : client(on_transports(), std::make_shared<pool>(world)) {}
};

inline outage::figures outage::play(const options& o, int status) {
    outage world(status);
    const caller c(world);
    world.clock_.perform(clients, [&](int number) { world.keep_calling(c, o, number); });
    return world.sum_up();
}

}  // namespace r2::testkit
