#include <gtest/gtest.h>

#include <optional>

#include <r2/machine/asked_waits.hpp>
#include <r2/machine/machine.hpp>

namespace {

using namespace std::chrono_literals;
using r2::decision;
using r2::ended;
using r2::wait_source;
using r2::detail::classification;

constexpr auto no_guards = [] { return std::optional<r2::duration>(0s); };

struct retry_after_row {
    const char* value;  // null: absent
    const char* date;
    decision expected;
};

TEST(asked_waits, reads_retry_after_in_every_form) {
    static constexpr auto wall = r2::wall_time(std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min);
    constexpr decision own{ended::not_yet, 2s, wait_source::backoff};
    constexpr decision served{ended::not_yet, 37s, wait_source::retry_after};
    const retry_after_row table[] = {
        {nullptr, nullptr, own},
        {"37", nullptr, served},
        {"Sun, 06 Nov 1994 08:49:37 GMT", nullptr, served},
        {"Sunday, 06-Nov-94 08:49:37 GMT", nullptr, served},
        {"Sun Nov  6 08:49:37 1994", nullptr, served},
        {"Sun, 06 Nov 1994 08:49:37 GMT",
         "Sun, 06 Nov 1994 08:49:30 GMT",
         {ended::not_yet, 7s, wait_source::retry_after}},
        {"Sun, 06 Nov 1994 08:48:00 GMT", nullptr, own},  // past
        {"0", nullptr, own},
        {"-1", nullptr, own},
        {"1.5", nullptr, own},
        {"120s", nullptr, own},
        {"soon", nullptr, own},
        {"", nullptr, own},
        {"99999999999999999999999999", nullptr, {ended::retry_after_too_long}},
    };
    const r2::options o{.backoff = r2::backoff::constant(2s), .jitter = r2::jitter::none()};
    for (const auto& [value, date, expected] : table) {
        r2::response res{.status = 503};
        if (value) res.headers.add("Retry-After", value);
        if (date) res.headers.add("Date", date);
        const r2::attempt a(res);
        r2::detail::asked_waits waits(
            o, a, [] { return wall; }, no_guards);
        r2::detail::machine m({});
        EXPECT_EQ(m.decide({}, classification::retryable, r2::time_point(24h), 0.5, waits), expected)
            << (value ? value : "absent");
    }
}

TEST(asked_waits, asks_amazon_for_more_only_where_the_server_s_wait_is_honoured) {
    const r2::attempt a(r2::response{.status = 503, .headers = {{"x-amz-retry-after", "3000"}}});
    for (const bool honour : {false, true}) {
        const r2::options o{
            .backoff = r2::backoff::constant(2s), .jitter = r2::jitter::none(), .retry_after = {.honour = honour}};
        r2::detail::asked_waits waits(
            o, a, [] { return r2::wall_time(); }, no_guards);
        EXPECT_EQ(waits.backoff(0, 0s, 0.5), honour ? 3s : 2s);
    }
}

TEST(asked_waits, asks_the_clock_on_the_wall_only_about_a_response) {
    int asked = 0;
    const r2::options o;
    const auto wall_now = [&asked] {
        ++asked;
        return r2::wall_time();
    };
    const r2::attempt failed{r2::error(r2::errc::connect)}, busy{r2::response{.status = 503}};
    EXPECT_EQ(r2::detail::asked_waits(o, failed, wall_now, no_guards).retry_after(), std::nullopt);
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(r2::detail::asked_waits(o, busy, wall_now, no_guards).retry_after(), std::nullopt);
    EXPECT_EQ(asked, 1);
}

}  // namespace
