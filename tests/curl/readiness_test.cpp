#include "r2/curl/readiness.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "r2/curl/poll_readiness.hpp"
#include "support/few_descriptors.hpp"

namespace {

using namespace r2::detail::curl;
using r2::testkit::few_descriptors;

constexpr int at_once = 0, for_ever = 30'000;

/// A connection within this process.
struct pair {
    pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0); }
    ~pair() {
        for (const int fd : ends) ::close(fd);
    }
    int near() const { return ends[0]; }
    void say_something() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }

    std::array<int, 2> ends = {};
};

using event = ready_descriptor;

template <class R> std::vector<event> events(R& r, int patience) {
    std::vector<event> all;
    r.wait(patience);
    while (const auto each = r.next()) all.push_back(*each);
    return all;
}

template <class R> class readiness : public testing::Test {
protected:
    R all;
    int mine = 0;
};

#ifdef __linux__
using variants = testing::Types<epoll_readiness, poll_readiness>;
#else
using variants = testing::Types<poll_readiness>;
#endif
TYPED_TEST_SUITE(readiness, variants);

TYPED_TEST(readiness, names_1_that_is_readable_and_its_owner) {
    const pair silent, loud;
    EXPECT_TRUE(this->all.usable());
    EXPECT_TRUE(this->all.watch(silent.near(), readable, this));
    EXPECT_TRUE(this->all.watch(loud.near(), readable, &this->mine));
    EXPECT_EQ(events(this->all, at_once), std::vector<event>());
    loud.say_something();
    EXPECT_EQ(events(this->all, for_ever), (std::vector<event>{{loud.near(), readable, &this->mine}}));
}

TYPED_TEST(readiness, follows_2_changes_of_what_is_wanted) {
    const pair p;
    p.say_something();
    EXPECT_TRUE(this->all.watch(p.near(), writable, nullptr));
    EXPECT_EQ(events(this->all, for_ever), (std::vector<event>{{p.near(), writable, nullptr}}));
    EXPECT_TRUE(this->all.watch(p.near(), readable | writable, this));
    EXPECT_EQ(events(this->all, for_ever), (std::vector<event>{{p.near(), readable | writable, this}}));
    EXPECT_TRUE(this->all.watch(p.near(), 0, this));
    EXPECT_EQ(events(this->all, at_once), std::vector<event>());
}

TYPED_TEST(readiness, calls_a_peer_that_left_readable) {
    int ends[2] = {};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    EXPECT_TRUE(this->all.watch(ends[0], readable, nullptr));
    ::close(ends[1]);
    EXPECT_EQ(events(this->all, for_ever), (std::vector<event>{{ends[0], readable, nullptr}}));
    EXPECT_TRUE(this->all.watch(ends[0], 0, nullptr));
    ::close(ends[0]);
}

// libcurl closes some descriptors before it ends their watch.
TYPED_TEST(readiness, watches_a_number_that_was_closed_and_is_another_one_now) {
    int number = -1;
    {
        const pair gone;
        number = gone.near();
        EXPECT_TRUE(this->all.watch(number, readable, nullptr));
    }
    const pair p;
    ASSERT_EQ(p.near(), number);
    p.say_something();
    EXPECT_TRUE(this->all.watch(number, readable, this));
    EXPECT_EQ(events(this->all, for_ever), (std::vector<event>{{number, readable, this}}));
}

TYPED_TEST(readiness, forgets_1_that_another_no_longer_wants) {
    const pair a, b;
    a.say_something();
    b.say_something();
    EXPECT_TRUE(this->all.watch(a.near(), readable, nullptr));
    EXPECT_TRUE(this->all.watch(b.near(), readable, nullptr));
    this->all.wait(for_ever);
    const auto first = this->all.next();
    ASSERT_TRUE(first);
    EXPECT_TRUE(this->all.more());
    EXPECT_TRUE(this->all.watch(first->fd == a.near() ? b.near() : a.near(), 0, nullptr));
    EXPECT_FALSE(this->all.next());
    EXPECT_FALSE(this->all.more());
}

TYPED_TEST(readiness, watches_20_more_while_it_names_2) {
    const pair a, b;
    const std::vector<pair> more(20);
    a.say_something();
    b.say_something();
    EXPECT_TRUE(this->all.watch(a.near(), readable, nullptr));
    EXPECT_TRUE(this->all.watch(b.near(), readable, nullptr));
    std::vector<int> seen;
    this->all.wait(for_ever);
    while (const auto each = this->all.next()) {
        seen.push_back(each->fd);
        for (const pair& p : more) EXPECT_TRUE(this->all.watch(p.near(), readable, nullptr));
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<int>{a.near(), b.near()}));
}

// A fork leaves such a descriptor.
TYPED_TEST(readiness, forgets_1_that_was_closed_here_and_is_open_elsewhere) {
    const pair other;
    int elsewhere = -1, number = -1;
    {
        const pair gone;
        number = gone.near();
        elsewhere = ::dup(number);
        EXPECT_TRUE(this->all.watch(number, readable, nullptr));
        EXPECT_TRUE(this->all.watch(other.near(), readable, this));
    }
    EXPECT_TRUE(this->all.watch(number, 0, nullptr));
    this->all.shrink();
    EXPECT_EQ(events(this->all, at_once), std::vector<event>());
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(events(this->all, 20), std::vector<event>());
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(20));

    this->all.wake();
    EXPECT_EQ(events(this->all, for_ever), std::vector<event>());
    other.say_something();
    EXPECT_EQ(events(this->all, for_ever), (std::vector<event>{{other.near(), readable, this}}));
    ::close(elsewhere);
}

TYPED_TEST(readiness, watches_300_at_a_time) {
    const std::vector<pair> all(300);
    for (const pair& p : all) {
        p.say_something();
        EXPECT_TRUE(this->all.watch(p.near(), readable, nullptr));
    }
    std::vector<int> seen;
    while (seen.size() < all.size()) {
        this->all.wait(for_ever);
        while (const auto each = this->all.next()) {
            seen.push_back(each->fd);
            EXPECT_TRUE(this->all.watch(each->fd, 0, nullptr));
        }
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
    this->all.shrink();
    EXPECT_TRUE(this->all.watch(all.back().near(), readable, nullptr));
    EXPECT_EQ(events(this->all, for_ever).size(), 1U);
}

TYPED_TEST(readiness, names_nothing_that_it_found_before_it_shrank) {
    const pair a, b;
    for (const pair* p : {&a, &b}) {
        p->say_something();
        EXPECT_TRUE(this->all.watch(p->near(), readable, nullptr));
    }
    this->all.wait(for_ever);
    EXPECT_TRUE(this->all.next());
    for (const pair* p : {&a, &b}) EXPECT_TRUE(this->all.watch(p->near(), 0, nullptr));
    this->all.shrink();
    EXPECT_FALSE(this->all.next());
}

TYPED_TEST(readiness, wakes_the_next_wait_or_the_one_that_runs) {
    this->all.wake();
    EXPECT_EQ(events(this->all, for_ever), std::vector<event>());
    std::thread other([&] { this->all.wake(); });
    EXPECT_EQ(events(this->all, for_ever), std::vector<event>());
    other.join();
    for (int i = 0; i < 100'000; ++i) this->all.wake();  // more than a pipe holds
    EXPECT_EQ(events(this->all, for_ever), std::vector<event>());
}

// libcurl waits for this descriptor too while a transfer is on the fast path.
TYPED_TEST(readiness, has_a_descriptor_that_1_wake_makes_readable) {
    pollfd its = {this->all.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&its, 1, at_once), 0);
    this->all.wake();
    EXPECT_EQ(::poll(&its, 1, for_ever), 1);
    this->all.wait(at_once);
    EXPECT_EQ(::poll(&its, 1, at_once), 0);
}

TEST(readiness, is_not_usable_without_descriptors) {
    const few_descriptors none(0);
#ifdef __linux__
    EXPECT_FALSE(epoll_readiness().usable());
#endif
    EXPECT_FALSE(poll_readiness().usable());
}

}  // namespace
