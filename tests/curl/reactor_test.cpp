#include "r2/curl/reactor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "r2/curl/descriptor.hpp"

namespace {

using namespace std::chrono_literals;
using r2::detail::curl::reactor;

TEST(reactor, rounds_a_wait_up_to_whole_milliseconds_and_down_to_1_hour) {
    reactor r;
    r.now = std::chrono::steady_clock::now();
    EXPECT_EQ(r.milliseconds_until(r.now), 0);
    EXPECT_EQ(r.milliseconds_until(r.now + 1ns), 1);
    EXPECT_EQ(r.milliseconds_until(r.now + 1ms), 1);
    EXPECT_EQ(r.milliseconds_until(r.now + 1ms + 1ns), 2);
    EXPECT_EQ(r.milliseconds_until(r.now + 1h), 3'600'000);
    EXPECT_EQ(r.milliseconds_until(r2::never), 3'600'000);
}

TEST(reactor, remembers_1_wake_until_it_is_taken) {
    reactor r;
    EXPECT_FALSE(r.is_woken());
    std::thread other([&] { r.wake(); });
    r.wait(30'000);
    other.join();
    EXPECT_TRUE(r.is_woken());
    r.take_wake();
    EXPECT_FALSE(r.is_woken());
}

TEST(reactor, takes_the_time_when_1_socket_is_ready) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const r2::detail::curl::descriptor out(ends[0]), in(ends[1]);
    reactor r;
    r.wait(0);
    EXPECT_EQ(r.now, r2::time_point());
    EXPECT_TRUE(r.sockets.watch(in, r2::detail::curl::writable, nullptr));
    const auto before = std::chrono::steady_clock::now();
    r.wait(30'000);
    EXPECT_GE(r.now, before);
    EXPECT_TRUE(r.sockets.watch(in, 0, nullptr));
}

}  // namespace
