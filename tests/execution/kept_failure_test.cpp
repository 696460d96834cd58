#include <gtest/gtest.h>

#include <memory>

#include <r2/execution/kept_failure.hpp>

namespace {

using namespace std::chrono_literals;
using r2::detail::classification;
using r2::detail::classified_outcome;
using r2::detail::kept_failure;

constexpr r2::time_point start{24h};
constexpr r2::time_point none = r2::time_point::min();

classified_outcome failure(int status, classification classified = classification::retryable) {
    return {std::make_unique<r2::attempt>(r2::response{.status = status}), classified};
}

TEST(kept_failure, is_the_last_of_2_whose_servers_asked_for_no_time) {
    kept_failure f;
    f.keep(failure(500), none);
    f.keep(failure(503), none);
    EXPECT_FALSE(f.waits());
    EXPECT_EQ(f.take().outcome->response()->status, 503);
}

TEST(kept_failure, is_the_one_of_3_whose_server_asked_for_the_latest_time) {
    kept_failure f;
    f.keep(failure(500), start + 1s);
    f.keep(failure(429), start + 9s);
    f.keep(failure(503), start + 2s);
    f.keep(failure(504), none);
    EXPECT_TRUE(f.waits());
    EXPECT_EQ(f.take().outcome->response()->status, 429);
}

TEST(kept_failure, is_a_lack_of_this_machine_only_where_there_is_no_other) {
    kept_failure f;
    f.keep(failure(1, classification::permanent), none);
    f.keep(failure(503), none);
    f.keep(failure(2, classification::permanent), none);
    const classified_outcome what = f.take();
    EXPECT_EQ(what.outcome->response()->status, 503);
    EXPECT_EQ(what.classification, classification::retryable);
    kept_failure alone;
    alone.keep(failure(1, classification::permanent), none);
    EXPECT_EQ(alone.take().classification, classification::permanent);
}

TEST(kept_failure, waits_for_nothing_while_there_is_none) {
    kept_failure f;
    EXPECT_FALSE(f.waits());
    EXPECT_FALSE(f.take().outcome);
}

}  // namespace
