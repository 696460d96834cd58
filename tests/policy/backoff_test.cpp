#include "r2/policy/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct delays {
    const char* name;
    r2::backoff b;
    std::vector<r2::duration> expected;  // of retry 0, 1, …
};

TEST(backoff, grows_as_its_name_says) {
    const delays table[] = {
        {"exponential", r2::backoff::exponential(2s, 2.0, 30s), {2s, 4s, 8s, 16s, 30s, 30s}},
        {"exponential by 1.5", r2::backoff::exponential(100ms, 1.5), {100ms, 150ms, 225ms, 337500us}},
        {"linear", r2::backoff::linear(500ms, 2s), {500ms, 1s, 1500ms, 2s, 2s}},
        {"constant", r2::backoff::constant(3s), {3s, 3s, 3s}},
        {"none", r2::backoff::none(), {0s, 0s}},
        {"custom", r2::backoff::custom([](int n) { return n * 1s - 1s; }), {0s, 0s, 1s, 2s}},
        {"of a negative base", r2::backoff::exponential(-1s), {0s, 0s}},
        {"with a negative cap, which is none", r2::backoff::linear(1s, -5s), {1s, 2s}},
        {"linear by a negative step", r2::backoff::linear(-1s), {0s, 0s}},
        {"that shrinks", r2::backoff::exponential(8s, 0.5), {8s, 4s, 2s}},
    };
    for (const auto& [name, b, expected] : table)
        for (std::size_t n = 0; n < expected.size(); ++n)
            EXPECT_EQ(b.delay(static_cast<int>(n)), expected[n]) << name << ' ' << n;
}

TEST(backoff, overflows_at_no_retry_number) {
    constexpr int last = std::numeric_limits<int>::max();
    for (const int n : {33, 34, 62, 63, 64, 1000, last - 1, last}) {
        EXPECT_EQ(r2::backoff::exponential(1s, 2.0, 30s).delay(n), 30s) << n;
        EXPECT_EQ(r2::backoff::linear(r2::duration::max()).delay(n), r2::duration::max()) << n;
    }
    EXPECT_EQ(r2::backoff::exponential(1s).delay(last), r2::duration::max());
    EXPECT_EQ(r2::backoff::exponential(1s).delay(33), 8589934592s);
    EXPECT_EQ(r2::backoff::exponential(1s).delay(34), r2::duration::max());
    EXPECT_EQ(r2::backoff::exponential(1s, std::numeric_limits<double>::quiet_NaN()).delay(3), 0s);
    EXPECT_EQ(r2::backoff::exponential(1ns).delay(63), r2::duration::max());
    EXPECT_EQ(r2::backoff::exponential(1s).delay(-5), 1s);
    EXPECT_EQ(r2::backoff::linear(1s).delay(-5), 1s);
    EXPECT_EQ(r2::backoff::linear(r2::duration::max() / 2).delay(1), r2::duration::max() - 1ns);
}

TEST(backoff, keeps_a_constant_of_10000_hours_to_the_nanosecond) {
    EXPECT_EQ(r2::backoff::constant(10'000h + 1ns).delay(3), 10'000h + 1ns);
}

}  // namespace
