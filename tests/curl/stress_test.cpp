#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "curl/fixture.hpp"
#include "support/leftovers.hpp"

// Ranges that end, are left or are destroyed at any moment. Run these under a sanitizer too.

namespace {

using namespace r2::testkit;

using random_bits = std::minstd_rand;

answer any_response(random_bits& random) {
    switch (random() % 8) {
        case 0:
            return nothing().close();
        case 1:
            return nothing().reset();
        case 2:
            return nothing().hang();
        case 3:
            return reply(200, std::string(100, 't')).trickle(1, 1ms);
        case 4:
            return reply(503, "", {{"Retry-After", "1"}});
        case 5:
            return reply(200, "cut short").cut(42);
        case 6:
            return late(2ms, reply(200, "late"));
        default:
            return reply(503, "busy");
    }
}

/// Takes a random number of attempts, and checks each.
int consume(r2::attempts range, random_bits& random) {
    const auto appetite = random() % 5;  // in attempts
    unsigned taken = 0;
    int sends = 0;
    for (r2::attempt& a : range) {
        EXPECT_EQ(a.number(), static_cast<int>(++taken));
        EXPECT_NE(a.response() != nullptr, static_cast<bool>(a.error()));
        EXPECT_EQ(a.is_last(), a.ended() != r2::ended::not_yet);
        EXPECT_TRUE(!a.error() || (a.error().sent() == r2::sent::maybe) == (a.sends() > 0));
        sends += a.sends();
        if (taken > appetite) break;
    }
    return sends;
}

TEST(stress, of_2000_ranges_on_8_threads_with_1_client_each_ends_as_it_should) {
    server s;
    std::mutex mutex;
    random_bits of_server(1);
    s.keep_requests(false);
    s.handle([&](const recorded_request&) {
        const std::lock_guard lock(mutex);
        return any_response(of_server);
    });
    r2::client c;
    std::atomic<int> sends = 0;
    std::vector<std::jthread> threads;
    for (unsigned id = 0; id < 8; ++id)
        threads.emplace_back([&, id] {
            random_bits random(100 + id);
            for (int i = 0; i < 250; ++i) {
                std::stop_source source;
                const r2::options o{.max_attempts = 4,
                                    .timeout = 20ms,
                                    .backoff = r2::backoff::constant(1ms),
                                    .retry_after = {.max = 1ms, .over = r2::over_max::clamp},
                                    .replay = random() % 2 ? r2::replay::always : r2::replay::when_safe,
                                    .stop = source.get_token(),
                                    .stop_grace = std::chrono::milliseconds(random() % 3)};
                std::jthread stopper;
                if (random() % 2)
                    stopper = std::jthread([source, pause = std::chrono::microseconds(random() % 10'000)]() mutable {
                        std::this_thread::sleep_for(pause);
                        source.request_stop();
                    });
                sends += random() % 2 ? consume(c.get(s.url(), o), random)
                                      : consume(c.post(s.url(), "the order", o), random);
            }
        });
    threads.clear();
    // A request may die with its connection before the server sees it.
    EXPECT_LE(s.begun(), static_cast<std::size_t>(sends));
    s.on("/fit", {reply(200, "fit")});
    EXPECT_EQ(status_of(c.get(s.url("/fit"), quick()).finish()), 200);
}

TEST(stress, a_range_destroyed_at_each_of_6_points_leaves_nothing) {
    for (int pulls = 0; pulls < 6; ++pulls)
        expect_nothing_left_by([&] {
            server s;
            s.default_answer(reply(503, "busy"));
            r2::client c;
            std::stop_source source;
            r2::attempts range = c.post(s.url(), "b",
                                        {.max_attempts = 5,
                                         .backoff = r2::backoff::none(),
                                         .headers = {{"X-Id", "7"}},
                                         .stop = source.get_token()});
            auto i = range.begin();
            for (int pulled = 0; pulled < pulls && i != range.end(); ++pulled) ++i;
            if (pulls == 3) source.request_stop();
            if (pulls == 4) range = c.get(s.url());
            const r2::attempts moved = std::move(range);
        });
}

TEST(stress, a_range_whose_callable_throws_at_1_of_6_places_leaves_nothing) {
    const auto thrower = [](auto&&...) { throw std::runtime_error("out of the user's own code"); };
    using change = void (*)(r2::options&, decltype(thrower));
    constexpr change places[] = {
        [](r2::options& o, auto t) { o.before_attempt = [t](r2::request& q) { t(q); }; },
        [](r2::options& o, auto t) { o.after_attempt = [t](const r2::request&, r2::attempt& a) { t(a); }; },
        [](r2::options& o, auto t) { o.on_attempt = [t](const r2::request&, const r2::attempt& a) { t(a); }; },
        [](r2::options& o, auto t) { o.terminate_if = [t](const r2::response& r) { return t(r), true; }; },
        [](r2::options& o, auto t) { o.retry_if = [t](const r2::attempt& a) { return t(a), true; }; },
        [](r2::options& o, auto t) { o.backoff = r2::backoff::custom([t](int n) { return t(n), 1ms; }); },
    };
    for (const change at : places)
        expect_nothing_left_by([&] {
            server s;
            s.default_answer(reply(503, "busy"));
            r2::client c;
            r2::options o{.max_attempts = 3};
            at(o, thrower);
            r2::attempts range = c.get(s.url(), o);
            EXPECT_THROW(range.finish(), std::runtime_error);
            EXPECT_EQ(range.ended(), r2::ended::threw);
        });
}

TEST(stress, a_stop_races_the_destruction_of_20000_ranges) {
    r2::client c;
    std::optional<std::stop_source> source;
    std::atomic<int> turn = 0, done = 0;
    constexpr int ranges = 20'000;
    std::jthread stopper([&] {
        for (int i = 1; i <= ranges; ++i) {
            while (turn != i) std::this_thread::yield();
            source->request_stop();
            done = i;
        }
    });
    random_bits random(1);
    const r2::options answered{.max_attempts = 3, .backoff = r2::backoff::none(), .before_attempt = [](r2::request&) {
                                   return r2::response{503, {}, "", ""};
                               }};
    for (int i = 1; i <= ranges; ++i) {
        source.emplace();
        {
            r2::options o = answered;
            o.stop = source->get_token();
            const auto range = std::make_unique<r2::attempts>(c.get("http://127.0.0.1/", o));
            EXPECT_EQ((*range->begin()).number(), 1);
            turn = i;
            for (volatile unsigned spin = random() % 200; spin > 0;) spin = spin - 1;
        }
        while (done != i) std::this_thread::yield();
    }
}

// Either the stop ends the wait, or the transfer does, before it.
TEST(stress, a_stop_races_the_end_of_2000_transfers) {
    server s;
    s.keep_requests(false);
    r2::client c;
    random_bits random(1);
    int stopped = 0;
    for (int i = 0; i < 2000; ++i) {
        std::stop_source source;
        std::atomic<bool> go = false;
        std::thread stopper([&, spin = random() % 400'000] {
            while (!go) std::this_thread::yield();
            for (volatile auto left = spin; left > 0;) left = left - 1;
            source.request_stop();
        });
        go = true;
        const r2::attempt a = c.get(s.url(), quick({.stop = source.get_token()})).finish();
        stopper.join();
        if (a.ended() == r2::ended::stopped)
            ++stopped;
        else
            EXPECT_EQ(status_of(a), 200) << a.error().message();
    }
    EXPECT_GT(stopped, 0);
    EXPECT_LT(stopped, 2000);
}

}  // namespace
