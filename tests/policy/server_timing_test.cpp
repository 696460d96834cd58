#include "r2/policy/server_timing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using r2::duration;
using wait = std::optional<duration>;

// 2026-01-01 00:00:00 UTC.
constexpr r2::wall_time now{1767225600s};

struct row {
    int status;
    r2::headers fields;
    wait expected;
};

TEST(server_wait, takes_the_first_of_8_fields) {
    const row rows[] = {
        {200, {}, {}},
        {503, {{"Retry-After", "7"}, {"retry-after-ms", "1"}, {"X-RateLimit-Reset", "9"}}, 7s},
        // A Retry-After always decides, even if it asks for no wait.
        {429, {{"Retry-After", "0"}, {"retry-after-ms", "5"}, {"X-RateLimit-Reset", "9"}}, {}},
        {429, {{"Retry-After", "soon"}, {"retry-after-ms", "5"}}, {}},
        {429, {{"retry-after-ms", "1500"}, {"x-ms-retry-after-ms", "1"}}, 1500ms},
        {429, {{"retry-after-ms", "soon"}, {"x-ms-retry-after-ms", "250"}, {"RateLimit-Reset", "9"}}, 250ms},
        {429, {{"retry-after-ms", "0"}, {"RateLimit-Reset", "9"}}, {}},
        {429, {{"RateLimit", "\"d\";r=0;t=5"}, {"RateLimit-Reset", "9"}}, 5s},
        {429, {{"RateLimit", "\"d\";r=0"}, {"RateLimit-Policy", "\"d\";q=1;w=6"}}, 6s},
        {429, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "9"}, {"X-RateLimit-Reset", "1"}}, 9s},
        {429, {{"RateLimit-Reset", "9"}}, 9s},
        {429, {{"X-RateLimit-Reset", "1767225660"}}, 60s},
        {429, {{"X-RateLimit-Reset", "1767225660"}, {"Date", "Thu, 01 Jan 2026 00:00:30 GMT"}}, 30s},
        // Something is left, so the reset does not matter.
        {429, {{"X-RateLimit-Remaining", "3"}, {"X-RateLimit-Reset", "9"}}, {}},
        {503, {{"X-RateLimit-Remaining", "4987"}, {"X-RateLimit-Reset", "3600"}}, {}},
        {503, {{"X-RateLimit-Reset", "3600"}}, {}},
        // A success with nothing left delays the next poll.
        {200, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "9"}}, 9s},
        {202, {{"RateLimit", "\"d\";r=0;t=5"}}, 5s},
        {200, {{"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", "9"}}, {}},
        {200, {{"X-RateLimit-Reset", "9"}}, {}},
    };
    for (const row& r : rows) {
        std::string fields;
        for (const r2::header& f : r.fields) fields += f.name + ": " + f.value + "; ";
        EXPECT_EQ(r2::detail::server_wait({.status = r.status, .headers = r.fields}, now), r.expected)
            << r.status << ", " << fields;
    }
}

TEST(amazon, may_ask_for_up_to_5_s_more) {
    const auto asked = [](std::string_view value) {
        return r2::detail::at_least_as_amazon_asks({.headers = {{"x-amz-retry-after", std::string(value)}}}, 50ms);
    };
    EXPECT_EQ(asked("1500"), 1500ms);
    EXPECT_EQ(asked("0"), 50ms);
    EXPECT_EQ(asked("10000"), 5050ms);
    EXPECT_EQ(asked("invalid"), 50ms);
    EXPECT_EQ(r2::detail::at_least_as_amazon_asks({}, 50ms), 50ms);
    EXPECT_EQ(r2::detail::at_least_as_amazon_asks({.headers = {{"x-amz-retry-after", "1"}}}, duration::max()),
              duration::max());
}

}  // namespace
