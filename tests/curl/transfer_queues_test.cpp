#include "r2/curl/transfer_queues.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "r2/policy/client_options.hpp"

namespace {

using namespace std::chrono_literals;
using r2::detail::curl::pooled_transfer;

struct transfer_queues : testing::Test {
    r2::client_options settings;
    pooled_transfer a{settings}, b{settings}, c{settings};
    const r2::time_point now = std::chrono::steady_clock::now();
};

TEST_F(transfer_queues, of_complete_ones_have_the_first_of_3_until_it_leaves) {
    r2::detail::ticket tickets[3];
    a.attach(tickets[0]);
    b.attach(tickets[1]);
    c.attach(tickets[2]);
    r2::detail::curl::complete_queue queue;
    EXPECT_TRUE(queue.empty());
    queue.add(a, now);
    queue.add(b, r2::never);
    queue.add(c, now);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(queue.first().which, &tickets[0]);
        EXPECT_EQ(queue.first().at, now);
    }
    queue.remove(b);
    queue.remove(a);
    EXPECT_EQ(queue.first().which, &tickets[2]);
    queue.remove(c);
    EXPECT_TRUE(queue.empty());
}

TEST_F(transfer_queues, of_draining_ones_have_the_first_limit_of_3) {
    r2::detail::curl::draining_queue queue;
    EXPECT_EQ(queue.next_limit(), r2::never);
    EXPECT_FALSE(queue.overdue(now));
    queue.add(a, now + 2s);
    queue.add(b, now + 3s);
    queue.add(c, now + 1s);
    EXPECT_EQ(queue.next_limit(), now + 1s);
    EXPECT_FALSE(queue.overdue(now));
    EXPECT_EQ(queue.overdue(now + 1s), &c);
    queue.remove(c);
    EXPECT_EQ(queue.overdue(now + 10s), &a);
    queue.remove(a);
    EXPECT_EQ(queue.next_limit(), now + 3s);
    queue.remove(b);
}

}  // namespace
