#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

#include <r2/policy/latency_log.hpp>

namespace {

using namespace std::chrono_literals;
using r2::percentile;
using r2::detail::latency_log;

const r2::request here{.url = "http://here.test/a"};
const r2::request there{.url = "http://there.test/a"};

TEST(latency_log, knows_nothing_of_fewer_than_20_responses) {
    latency_log log;
    for (int i = 0; i < 19; ++i) log.add(here, 1ms);
    EXPECT_EQ(log.at(here, percentile(0.5, 70ms)), 70ms);
    EXPECT_EQ(log.at(here, percentile(0.5, 70ms, 19)), 1ms);
    EXPECT_EQ(log.at(here, percentile(0.5)), r2::duration::max());
    log.add(here, 1ms);
    EXPECT_EQ(log.at(here, percentile(0.5, 70ms)), 1ms);
    EXPECT_EQ(log.at(there, percentile(0.5, 70ms)), 70ms);
    EXPECT_EQ(log.at(there, percentile(0.5, 70ms, 0)), 70ms);
    EXPECT_EQ(log.at({.url = "http://here.test/another?path"}, percentile(0.5, 70ms)), 1ms);
}

TEST(latency_log, takes_the_nearest_rank_of_100) {
    latency_log log;
    for (int i = 100; i > 0; --i) log.add(here, i * 1ms);
    const auto at = [&](double share) { return log.at(here, percentile(share, 0s)); };
    EXPECT_EQ(at(0.95), 95ms);
    EXPECT_EQ(at(0.951), 96ms);
    EXPECT_EQ(at(0.5), 50ms);
    EXPECT_EQ(at(1.0), 100ms);
    EXPECT_EQ(at(0.0), 1ms);
    EXPECT_EQ(at(7.0), 100ms);
    EXPECT_EQ(at(-7.0), 1ms);
    EXPECT_EQ(at(std::numeric_limits<double>::quiet_NaN()), 1ms);
    EXPECT_EQ(at(std::numeric_limits<double>::infinity()), 100ms);
}

TEST(latency_log, forgets_all_but_the_newest_256) {
    latency_log log;
    for (int i = 0; i < 256; ++i) log.add(here, 1s);
    for (int i = 0; i < 255; ++i) log.add(here, 1ms);
    EXPECT_EQ(log.at(here, percentile(1.0, 0s)), 1s);
    log.add(here, 1ms);
    EXPECT_EQ(log.at(here, percentile(1.0, 0s)), 1ms);

    latency_log another;
    another.add(here, 1s);
    for (int i = 0; i < 256; ++i) another.add(here, 1ms);
    EXPECT_EQ(another.at(here, percentile(1.0, 0s)), 1ms) << "the oldest goes first";
}

TEST(latency_log, is_written_and_read_by_4_threads) {
    latency_log log;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 1000; ++i) {
                    log.add(here, 1ms);
                    EXPECT_LE(log.at(here, percentile(0.9, 0s)), 1ms);
                }
            });
    }
    EXPECT_EQ(log.at(here, percentile(0.9, 0s)), 1ms);
}

}  // namespace
