#include "r2/shutdown.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <semaphore>
#include <thread>
#include <type_traits>

#include "curl/fixture.hpp"
#include "support/leftovers.hpp"

namespace {

using namespace r2::testkit;

static_assert(!std::is_move_constructible_v<r2::shutdown>, "its signals refer to it");
static_assert(!std::is_convertible_v<r2::shutdown_options, r2::shutdown>);
static_assert(std::is_same_v<decltype(std::declval<const r2::shutdown&>().cleanup({})), r2::options>);

constexpr std::chrono::seconds soon{10};

TEST(shutdown, makes_of_1_policy_options_for_work_and_for_cleanup) {
    r2::shutdown down({.grace = 2s, .cleanup = 5s});
    std::stop_source another;
    const r2::options policy{.max_attempts = 7, .timeout = 1s, .stop = another.get_token(), .stop_grace = 1h};

    const r2::options work = down.work(policy);
    EXPECT_EQ(work.max_attempts, 7);
    EXPECT_EQ(work.deadline, r2::duration{});
    EXPECT_EQ(work.stop_grace, 2s);
    EXPECT_EQ(work.stop, down.token());

    const r2::options cleanup = down.cleanup(policy);
    EXPECT_EQ(cleanup.max_attempts, 7);
    EXPECT_EQ(cleanup.timeout, 1s);
    EXPECT_EQ(cleanup.deadline, 5s);
    EXPECT_EQ(cleanup.stop_grace, r2::duration{});
    EXPECT_FALSE(cleanup.stop.stop_possible());
}

TEST(shutdown, leaves_a_shorter_deadline_of_3_s_as_it_is) {
    const r2::shutdown down({.cleanup = 5s});
    EXPECT_EQ(down.cleanup({.deadline = 3s}).deadline, 3s);
    EXPECT_EQ(down.cleanup({.deadline = 6s}).deadline, 5s);
}

TEST(shutdown, that_sets_nothing_limits_0_cleanups) {
    r2::shutdown down;
    down.request();
    EXPECT_EQ(down.cleanup({}).deadline, r2::duration{});
    EXPECT_EQ(down.cleanup({.deadline = 3s}).deadline, 3s);
    EXPECT_EQ(down.cleanup_left(), r2::duration::max());
    EXPECT_EQ(down.work({}).stop_grace, r2::duration{});
}

TEST(shutdown, gives_grace_and_cleanup_together_from_the_1st_request_on) {
    r2::shutdown down({.grace = 1h, .cleanup = 2h});
    EXPECT_FALSE(down.requested());
    EXPECT_EQ(down.cleanup_left(), 2h);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(down.request());
    EXPECT_TRUE(down.requested());
    EXPECT_LE(down.cleanup_left(), 3h);
    const r2::duration first = down.cleanup_left();
    EXPECT_GE(first, 3h - (std::chrono::steady_clock::now() - began));
    EXPECT_FALSE(down.request()) << "a second one";
    EXPECT_LE(down.cleanup_left(), first) << "a second request gives no time";
}

TEST(shutdown, may_be_made_in_2_ways) {
    const r2::shutdown by_braces{{.grace = 1h, .cleanup = 5s}}, by_parentheses({.grace = 1h, .cleanup = 5s});
    for (const r2::shutdown* down : {&by_braces, &by_parentheses}) {
        EXPECT_EQ(down->cleanup_left(), 5s);
        EXPECT_EQ(down->work({}).stop_grace, 1h);
    }
}

TEST(shutdown, whose_grace_is_the_longest_of_all_ends_1_time) {
    r2::shutdown down({.grace = r2::duration::max(), .cleanup = 5s});
    down.request();
    EXPECT_GT(down.cleanup_left(), 1h);
}

TEST(shutdown, whose_time_is_over_sends_0_requests_for_cleanup) {
    server s;
    r2::client c;
    r2::shutdown down({.cleanup = 1ms});
    down.request();
    while (down.cleanup_left() > 0ns) std::this_thread::yield();
    const r2::attempt a = c.del(s.url(), down.cleanup(quick())).finish();
    EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::no);
    EXPECT_EQ(a.ended(), r2::ended::deadline);
    EXPECT_EQ(s.connections(), 0U);
}

TEST(shutdown, makes_100_cleanups_on_a_silent_server_share_300_ms) {
    server s;
    r2::client c;
    s.default_answer(nothing().hang());
    r2::shutdown down({.grace = 100ms, .cleanup = 200ms});
    const auto began = std::chrono::steady_clock::now();
    down.request();
    for (int i = 0; i < 100; ++i) {
        const r2::attempt a = c.del(s.url(), down.cleanup(quick())).finish();
        EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
    }
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_GE(took, 300ms);
    EXPECT_LT(took, soon) << "and not 100 times as long";
    EXPECT_EQ(down.cleanup_left(), 0ns);
}

TEST(shutdown, lets_in_1_response_in_flight_and_1_cleanup_after_it) {
    server s;
    r2::client c;
    r2::shutdown down({.grace = patience, .cleanup = patience});
    s.handle([&](const recorded_request& q) {
        if (q.method == "POST") down.request();
        return reply(503, "let in");
    });
    const r2::attempt worked = c.post(s.url(), "b", down.work({.max_attempts = 3})).finish();
    EXPECT_EQ(status_of(worked), 503);
    EXPECT_EQ(worked.ended(), r2::ended::stopped);
    EXPECT_TRUE(c.post(s.url(), "b", down.work({})).finish().error() == r2::errc::stopped);
    EXPECT_EQ(status_of(c.del(s.url(), down.cleanup(quick())).finish()), 503);
    EXPECT_EQ(s.request_count(), 2U);
}

/// SIGUSR1 is ignored unless a shutdown takes it.
class on_signal : public testing::Test {
protected:
    static constexpr int number = SIGUSR1;

    on_signal() { ::signal(number, SIG_IGN); }
    ~on_signal() override { ::signal(number, SIG_DFL); }

    static auto handler_of(int signal) {
        struct sigaction now = {};
        ::sigaction(signal, nullptr, &now);
        return now.sa_handler;
    }

    static bool is_requested_soon(const r2::shutdown& down) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!down.requested() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
        return down.requested();
    }
};

TEST_F(on_signal, each_of_2_signals_is_a_request) {
    ::signal(SIGTERM, SIG_DFL);
    for (const int signal : {number, SIGTERM}) {
        r2::shutdown down({.cleanup = 1h});
        EXPECT_FALSE(down.on_signal({number, SIGTERM}));
        EXPECT_FALSE(down.requested());
        ::raise(signal);
        EXPECT_TRUE(is_requested_soon(down));
        EXPECT_LT(down.cleanup_left(), 1h);
    }
    EXPECT_EQ(handler_of(SIGTERM), SIG_DFL);
}

TEST_F(on_signal, of_2_handlers_the_former_comes_back_in_the_end) {
    const auto descriptors = open_descriptors();
    {
        r2::shutdown down;
        EXPECT_FALSE(down.on_signal({number}));
        EXPECT_FALSE(down.on_signal({number})) << "it has this signal already";
        EXPECT_NE(handler_of(number), SIG_IGN);
    }
    EXPECT_EQ(handler_of(number), SIG_IGN);
    EXPECT_EQ(open_descriptors(), descriptors);
}

TEST_F(on_signal, of_2_handlers_the_later_stays_in_the_end) {
    {
        r2::shutdown down;
        EXPECT_FALSE(down.on_signal({number}));
        ::signal(number, [](int) {});
    }
    EXPECT_NE(handler_of(number), SIG_IGN);
}

TEST_F(on_signal, 70000_signals_change_no_errno_and_block_nobody) {
    r2::shutdown down;
    EXPECT_FALSE(down.on_signal({number}));
    std::binary_semaphore over{0};
    const std::stop_callback busy(down.token(),
                                  [&] { over.acquire(); });  // so that nothing reads the pipe of the handler
    for (int i = 0; i < 70'000; ++i) {
        errno = i;
        ::raise(number);
        ASSERT_EQ(errno, i);
    }
    over.release();
    EXPECT_TRUE(is_requested_soon(down));
}

// Neither a signal to the child nor its end affects the parent.
TEST_F(on_signal, of_2_processes_a_forked_one_stops_itself_alone) {
    r2::shutdown down;
    EXPECT_FALSE(down.on_signal({number}));
    const pid_t child = ::fork();
    if (child == 0) {
        ::raise(number);
        ::_exit(down.requested() ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(down.requested());
    ::raise(number);
    EXPECT_TRUE(is_requested_soon(down));
}

TEST_F(on_signal, of_2_signals_1_that_can_not_be_taken_leaves_the_other) {
    r2::shutdown down;
    for (const int bad : {SIGKILL, -1, 0, 1000}) {
        const r2::error refused = down.on_signal({number, bad});
        EXPECT_TRUE(refused == r2::errc::local);
        EXPECT_NE(refused.message().find("signal " + std::to_string(bad)), std::string::npos) << refused.message();
        EXPECT_EQ(handler_of(number), SIG_IGN);
    }
    r2::shutdown another;
    EXPECT_FALSE(another.on_signal({number}));
    EXPECT_TRUE(down.on_signal({number}) == r2::errc::local) << "it belongs to the other one";
    ::raise(number);
    EXPECT_TRUE(is_requested_soon(another));
    EXPECT_FALSE(down.requested());
}

TEST_F(on_signal, without_descriptors_is_1_error) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    r2::shutdown down;
    const r2::error refused = down.on_signal({number});
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_TRUE(refused == r2::errc::local) << refused.message();
    EXPECT_FALSE(down.on_signal({number})) << "there are descriptors again";
}

TEST_F(on_signal, a_range_that_waits_for_1_hour_ends) {
    server s;
    r2::client c;
    s.default_answer(reply(503, "", {{"Retry-After", "3600"}}));
    r2::shutdown down;
    ASSERT_FALSE(down.on_signal({number}));
    r2::attempts range = c.get(s.url(), down.work({}));
    for (const r2::attempt& a : range) {
        EXPECT_EQ(a.wait(), 1h);
        ::raise(number);
    }
    EXPECT_EQ(range.ended(), r2::ended::stopped);
    EXPECT_EQ(s.request_count(), 1U);
}

TEST_F(on_signal, that_comes_all_the_time_disturbs_none_of_300_shutdowns) {
    const auto descriptors = open_descriptors();
    std::atomic<bool> over = false;
    std::jthread shooter([&] {
        while (!over) ::raise(number);
    });
    for (int i = 0; i < 300; ++i) {
        r2::shutdown down;
        ASSERT_FALSE(down.on_signal({number}));
        if (i % 2 == 0) continue;
        EXPECT_TRUE(is_requested_soon(down));
    }
    over = true;
    shooter.join();
    EXPECT_EQ(handler_of(number), SIG_IGN);
    EXPECT_EQ(open_descriptors(), descriptors);
}

}  // namespace
