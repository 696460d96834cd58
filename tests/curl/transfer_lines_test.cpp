#include "r2/curl/transfer_lines.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "r2/policy/client_options.hpp"

namespace {

using namespace std::chrono_literals;
using r2::detail::curl::pooled_transfer;

struct lines : testing::Test {
    r2::client_options settings;
    pooled_transfer a{settings}, b{settings}, c{settings};
    const r2::time_point now = std::chrono::steady_clock::now();
};

TEST_F(lines, of_complete_ones_have_the_first_of_3_until_it_leaves) {
    r2::detail::ticket tickets[3];
    a.attach(tickets[0]);
    b.attach(tickets[1]);
    c.attach(tickets[2]);
    r2::detail::curl::complete_line line;
    EXPECT_TRUE(line.empty());
    line.add(a, now);
    line.add(b, r2::never);
    line.add(c, now);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(line.first().which, &tickets[0]);
        EXPECT_EQ(line.first().at, now);
    }
    line.remove(b);
    line.remove(a);
    EXPECT_EQ(line.first().which, &tickets[2]);
    line.remove(c);
    EXPECT_TRUE(line.empty());
}

TEST_F(lines, of_draining_ones_have_the_first_limit_of_3) {
    r2::detail::curl::draining_line line;
    EXPECT_EQ(line.next_limit(), r2::never);
    EXPECT_FALSE(line.overdue(now));
    line.add(a, now + 2s);
    line.add(b, now + 3s);
    line.add(c, now + 1s);
    EXPECT_EQ(line.next_limit(), now + 1s);
    EXPECT_FALSE(line.overdue(now));
    EXPECT_EQ(line.overdue(now + 1s), &c);
    line.remove(c);
    EXPECT_EQ(line.overdue(now + 10s), &a);
    line.remove(a);
    EXPECT_EQ(line.next_limit(), now + 3s);
    line.remove(b);
}

}  // namespace
