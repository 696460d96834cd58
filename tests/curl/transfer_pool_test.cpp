#include "r2/curl/transfer_pool.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "r2/policy/client_options.hpp"

namespace {

using r2::detail::curl::pooled_transfer;
using r2::detail::curl::transfer_pool;

struct pool_of_transfers : testing::Test {
    pooled_transfer& take() {
        pooled_transfer& t = all.idle();
        all.take_idle();
        return t;
    }

    r2::client_options settings;
    transfer_pool all{settings, nullptr};
};

TEST_F(pool_of_transfers, has_the_same_idle_one_until_it_is_taken_and_1_more_then) {
    pooled_transfer& first = all.idle();
    EXPECT_EQ(&all.idle(), &first);
    EXPECT_EQ(all.size(), 1U);
    all.take_idle();
    EXPECT_NE(&all.idle(), &first);
    EXPECT_EQ(all.size(), 2U);
}

TEST_F(pool_of_transfers, gives_the_one_of_3_that_was_used_last) {
    pooled_transfer &a = take(), &b = take(), &c = take();
    all.release(a);
    all.release(c);
    all.release(b);
    EXPECT_EQ(&take(), &b);
    EXPECT_EQ(&take(), &c);
    EXPECT_EQ(&take(), &a);
}

TEST_F(pool_of_transfers, knows_100_by_their_indices_and_keeps_8_when_it_closes_the_idle_ones) {
    std::vector<pooled_transfer*> taken;
    for (int i = 0; i < 100; ++i) taken.push_back(&take());
    for (std::size_t i = 0; i < 100; i += 2) all.release(*taken[i]);
    all.close_idle();
    EXPECT_EQ(all.size(), 58U);
    std::set<pooled_transfer*> left;
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].index, i);
        left.insert(&all[i]);
    }
    for (std::size_t i = 1; i < 100; i += 2) EXPECT_TRUE(left.contains(taken[i]));
}

TEST_F(pool_of_transfers, makes_1_ticket_stand_for_nothing_when_its_transfer_is_released) {
    r2::detail::ticket t;
    pooled_transfer& p = take();
    p.attach(t);
    EXPECT_EQ(&pooled_transfer::of(t), &p);
    all.release(p);
    EXPECT_EQ(t.transfer, nullptr);
}

TEST_F(pool_of_transfers, destroys_1_that_lost_what_configure_set) {
    settings.configure = [](CURL*) {};
    const r2::request q{.url = "http://me:secret@h/"};
    pooled_transfer &p = take(), &other = take();
    EXPECT_TRUE(p.begin(q, {}));
    all.release(p);
    EXPECT_EQ(all.size(), 1U);
    EXPECT_EQ(&all[0], &other);
    EXPECT_EQ(other.index, 0U);
}

}  // namespace
