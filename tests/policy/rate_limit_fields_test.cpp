#include "r2/policy/rate_limit_fields.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace {

using namespace std::chrono_literals;
using r2::duration;
using r2::detail::parse_rate_limit;
using r2::detail::parse_reset;
using wait = std::optional<duration>;

// 2026-01-01 00:00:00 UTC.
constexpr r2::wall_time now{1767225600s};

// `RateLimit` in the form of draft -10, and in that of draft -07, which is widespread.
static_assert(parse_rate_limit(R"("default";r=0;t=30)", "") == wait(30s));
static_assert(parse_rate_limit(R"("default";r=1;t=30)", "") == std::nullopt);
static_assert(parse_rate_limit(R"("a";r=0;t=3, "b";r=0;t=40, "c";r=5;t=99)", "") == wait(40s));
static_assert(parse_rate_limit(R"( "a" ; r=0 ; t=3 )", "") == wait(3s));
static_assert(parse_rate_limit(R"("with, comma; and r=0";r=7;t=1)", "") == std::nullopt);
static_assert(parse_rate_limit(R"("day";r=0)", R"("min";q=10;w=60, "day";q=1000;w=86400)") == wait(24h));
static_assert(parse_rate_limit(R"("day";r=0)", R"("min";q=10;w=60)") == std::nullopt);
static_assert(parse_rate_limit(R"("with;r=0;t=9, and more";r=1;t=3)", "") == std::nullopt);
static_assert(parse_rate_limit("\t\"a\"\t;\tr=0\t;\tt=3\t", "") == wait(3s));
static_assert(parse_rate_limit(R"("a";r=0;t=3;r)", "") == wait(3s));
static_assert(parse_rate_limit("limit=10, remaining=0, reset=7", "") == wait(7s));
static_assert(parse_rate_limit("limit=10, remaining=1, reset=7", "") == std::nullopt);
static_assert(parse_rate_limit("limit=10,remaining=0", "") == std::nullopt);
static_assert(parse_rate_limit("", "") == std::nullopt);
static_assert(parse_rate_limit("\"", ";;,,=\"") == std::nullopt);
static_assert(parse_rate_limit(R"("a";r=-0;t=3)", "") == std::nullopt);
static_assert(parse_rate_limit(R"("a";r=0;t=99999999999999999999)", "") == wait(duration::max()));

static_assert(parse_reset("30", now) == wait(30s));
static_assert(parse_reset("1767225660", now) == wait(60s));
static_assert(parse_reset("1767225660000", now) == wait(60s));
static_assert(parse_reset("1767225000", now) == wait(0s));
static_assert(parse_reset("99999999999999999999", r2::wall_time(-1h)) == wait(duration::max()));
static_assert(parse_reset("999999999", now) == wait(999'999'999s));
static_assert(parse_reset("1000000000", now) == wait(0s));
static_assert(parse_reset("99999999999", now) == wait(duration::max() - now.time_since_epoch()));
static_assert(parse_reset("100000000000", now) == wait(0s));
static_assert(parse_reset("", now) == std::nullopt);
static_assert(parse_reset("1.5", now) == std::nullopt);

TEST(rate_limit_fields, of_2_quotas_that_are_used_up_the_longer_counts) {
    EXPECT_EQ(parse_rate_limit(R"("a";r=0;t=40, "b";r=0;t=3)", ""), wait(40s));
    EXPECT_EQ(parse_rate_limit(R"("a";r=0, "b";r=0)", R"("a";w=60, "b";w=7)"), wait(60s));
}

}  // namespace
