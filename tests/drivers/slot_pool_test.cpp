#include <gtest/gtest.h>

#include <memory>
#include <set>

#include <r2/drivers/slot_pool.hpp>

namespace {

using r2::detail::slot;
using r2::detail::slot_pool;

TEST(slot_pool, keeps_2_that_are_done_for_the_next_and_drops_the_third) {
    slot_pool pool(2);
    slot *const a = &pool.take(), *const b = &pool.take(), *const c = &pool.take();
    EXPECT_EQ((std::set<slot*>{a, b, c}).size(), 3U);
    for (slot* s : {a, b, c}) pool.give_back(*s);
    EXPECT_EQ(&pool.take(), b);
    EXPECT_EQ(&pool.take(), a);
}

TEST(slot_pool, empties_a_slot_that_is_given_back) {
    slot_pool pool(1);
    slot& s = pool.take();
    const auto shared = std::make_shared<const r2::options>();
    s.fill(0, {{.url = "http://a/", .body = "b"}}, shared);
    pool.give_back(s);
    EXPECT_EQ(shared.use_count(), 1);
}

TEST(slot_pool, finds_no_slot_in_flight_among_2_that_have_sent_nothing) {
    slot_pool pool(2);
    pool.take();
    pool.take();
    int in_flight = 0;
    pool.for_each_in_flight([&](slot&) { ++in_flight; });
    EXPECT_EQ(in_flight, 0);
    pool.clear();
}

}  // namespace
