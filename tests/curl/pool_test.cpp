#include "r2/curl/pool.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "support/few_descriptors.hpp"

namespace {

using r2::detail::transport;
using r2::detail::curl::pool;

TEST(pool, lends_the_one_of_2_transports_that_was_used_last) {
    pool p({});
    auto a = p.take(), b = p.take();
    ASSERT_TRUE(a && b);
    EXPECT_NE(a, b);
    const transport *const first = a.get(), *const second = b.get();
    p.give_back(std::move(a));
    p.give_back(std::move(b));
    a = p.take();
    b = p.take();
    EXPECT_EQ(a.get(), second);
    EXPECT_EQ(b.get(), first);
}

TEST(pool, keeps_1_of_2_transports_where_no_more_idle_connections_are_allowed) {
    pool p({.max_idle_connections = 1});
    auto a = p.take(), b = p.take();
    const transport* const first = a.get();
    p.give_back(std::move(a));
    p.give_back(std::move(b));
    a = p.take();
    EXPECT_EQ(a.get(), first);
}

TEST(pool, has_0_transports_without_descriptors) {
    pool p({});
    const r2::testkit::few_descriptors none(0);
    EXPECT_EQ(p.take(), nullptr);
}

}  // namespace
