#include <gtest/gtest.h>

#include <ctime>
#include <sstream>
#include <string>
#include <vector>

#include <r2/machine/plan.hpp>
#include <r2/testing.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::time_range;
using r2::wait_source;

std::string text(const r2::schedule& s) {
    std::ostringstream out;
    out << s;
    return out.str();
}

TEST(plan, shows_that_5_attempts_of_10s_may_take_80s) {
    const auto plan = r2::plan({.max_attempts = 5, .timeout = 10s});
    EXPECT_EQ(plan.total(), (time_range{0s, 80s}));
    EXPECT_EQ(plan.ended(), ended::exhausted);
    EXPECT_EQ(text(plan), R"(attempt  outcome  starts after  then waits  asked by
1        503      0s            0s to 2s    backoff
2        503      0s to 12s     0s to 4s    backoff
3        503      0s to 26s     0s to 8s    backoff
4        503      0s to 44s     0s to 16s   backoff
5        503      0s to 70s     exhausted   -
takes 0s to 80s, and ends: exhausted
)");
}

TEST(plan, spreads_a_wait_of_2s_from_1s_on_by_equal_jitter) {
    EXPECT_EQ(r2::plan({.max_attempts = 2, .jitter = r2::jitter::equal()}).attempts()[0].wait, (time_range{1s, 2s}));
}

TEST(plan, follows_a_script_of_4_outcomes_whose_last_goes_on) {
    const r2::response busy{.status = 429, .headers = {{"Retry-After", "7"}}};
    EXPECT_EQ(text(r2::plan({.max_attempts = 6, .timeout = 1s, .jitter = r2::jitter::none()},
                            {503, errc::timeout, busy, errc::connect})),
              R"(attempt  outcome            starts after  then waits  asked by
1        503                0s            2s          backoff
2        timeout            2s to 3s      4s          backoff
3        429                7s to 8s      7s          retry_after
4        could not connect  14s to 16s    16s         backoff
5        could not connect  30s to 33s    30s         backoff
6        could not connect  60s to 64s    exhausted   -
takes 60s to 65s, and ends: exhausted
)");
}

TEST(plan, ends_where_the_options_end_it_and_says_why) {
    EXPECT_EQ(r2::plan({}, {200}).ended(), ended::succeeded);
    EXPECT_EQ(r2::plan({}, {503, 404}).attempts().size(), 2U);
    EXPECT_EQ(r2::plan({}, {503, 404}).ended(), ended::not_retryable);
    EXPECT_EQ(r2::plan({.terminate_if = r2::status_is(503)}, {200, 503}).ended(), ended::condition_met);
    EXPECT_EQ(r2::plan({.replay = r2::replay::when_safe}, {errc::timeout}, "POST").ended(), ended::unsafe_to_replay);
    const r2::response tomorrow{.status = 503, .headers = {{"Retry-After", "86400"}}};
    EXPECT_EQ(r2::plan({}, {tomorrow}).ended(), ended::retry_after_too_long);
    const auto empty = r2::plan({.max_attempts = 2}, {});
    EXPECT_EQ(empty.ended(), ended::exhausted);
    EXPECT_EQ(empty.attempts()[0].what.attempt().response()->status, 503) << "an empty script is one of 503";
}

TEST(plan, tells_from_which_attempt_on_the_deadline_may_end_it) {
    const auto plan = r2::plan({.max_attempts = 5, .timeout = 10s, .deadline = 45s});
    EXPECT_EQ(plan.total(), (time_range{0s, 45s}));
    std::vector<bool> may;
    for (const auto& each : plan.attempts()) may.push_back(each.may_meet_deadline);
    EXPECT_EQ(may, (std::vector{false, false, false, true, true})) << "the 3rd ends at 36 s and waits for 8 s at most";
    EXPECT_NE(text(plan).find("ends: exhausted, or deadline from attempt 4 on\n"), std::string::npos);
    EXPECT_TRUE(r2::plan({.max_attempts = 1, .timeout = 10s, .deadline = 10s}).attempts()[0].may_meet_deadline);
    EXPECT_TRUE(r2::plan({.timeout = 1s, .interval = 3s, .deadline = 4s}).attempts()[0].may_meet_deadline);
}

TEST(plan, ends_by_the_deadline_alone_where_the_waits_are_fixed) {
    const auto plan = r2::plan({.timeout = 1s, .interval = 3s, .deadline = 10s});
    EXPECT_EQ(plan.ended(), ended::deadline);
    EXPECT_EQ(plan.attempts().size(), 4U) << "at 0, 3, 6 and 9 s, if each is quick";
    EXPECT_EQ(plan.attempts()[2].start, (time_range{6s, 8s}));
    EXPECT_EQ(plan.attempts()[2].wait, (time_range{3s, 3s}));
    EXPECT_TRUE(plan.attempts()[2].may_meet_deadline) << "9 s + 3 s";
    EXPECT_FALSE(plan.attempts()[1].may_meet_deadline) << "4 to 8 s after the start";
    EXPECT_EQ(plan.attempts()[3].wait, time_range{});
    EXPECT_NE(text(plan).find("ends: deadline, from attempt 3 on\n"), std::string::npos);
    EXPECT_EQ(plan.total(), (time_range{7s, 10s})) << "an attempt that is over at 7 s can't wait for 3 s";
}

/// Asks for a retry in a minute, by a date.
r2::response in_a_minute() {
    const auto at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) + 60;
    char date[40];
    std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&at));
    return {.status = 503, .headers = {{"Retry-After", date}}};
}

TEST(plan, a_date_in_retry_after_comes_nearer_with_each_attempt) {
    const auto plan = r2::plan({.max_attempts = 3, .timeout = 10s}, {in_a_minute()});
    EXPECT_LE(plan.attempts()[0].wait.least, 50s);
    EXPECT_GE(plan.attempts()[0].wait.most, 58s);
    EXPECT_EQ(plan.attempts()[1].wait.least, 0s) << "the date is past where the first attempt was slow";
    EXPECT_LE(plan.attempts()[1].start.most, 61s);
    EXPECT_LE(plan.total().most, 61s + 10s + 4s + 10s);
}

TEST(plan, a_date_in_retry_after_may_be_past_after_1_slow_attempt_which_then_waits_by_backoff) {
    const auto plan = r2::plan({.max_attempts = 2, .timeout = 10min, .jitter = r2::jitter::equal()}, {in_a_minute()});
    EXPECT_EQ(plan.attempts()[0].wait.least, 1s) << "the half of 2 s";
    EXPECT_GE(plan.attempts()[0].wait.most, 58s);
}

TEST(plan, a_date_in_retry_after_is_past_after_an_attempt_without_a_limit) {
    const auto plan =
        r2::plan({.max_attempts = 2, .retry_after = {.max = 1h, .over = r2::over_max::clamp}}, {in_a_minute()});
    EXPECT_LE(plan.attempts()[0].wait.most, 60s);
}

TEST(plan, a_timeout_takes_no_time_where_the_options_set_none) {
    EXPECT_EQ(r2::plan({.max_attempts = 2}, {errc::timeout}).total(), (time_range{0s, r2::duration::max()}));
}

TEST(plan, prints_14_attempts_without_leaving_one_out) {
    EXPECT_EQ(text(r2::plan({.max_attempts = 14})).find("…"), std::string::npos);
    EXPECT_NE(text(r2::plan({.max_attempts = 15})).find("…"), std::string::npos);
}

TEST(plan, has_no_upper_limit_where_the_options_set_none) {
    const auto plan = r2::plan({.max_attempts = 2});
    EXPECT_EQ(plan.attempts()[0].start, (time_range{0s, 0s}));
    EXPECT_EQ(plan.attempts()[1].start, (time_range{0s, r2::duration::max()}));
    EXPECT_FALSE(plan.attempts()[1].may_meet_deadline);
    EXPECT_NE(text(plan).find("takes 0s and on, and ends: exhausted"), std::string::npos);
}

TEST(plan, is_broken_off_after_1000_attempts_and_printed_with_its_middle_left_out) {
    const auto plan = r2::plan({.interval = 1s});
    EXPECT_EQ(plan.attempts().size(), 1000U);
    EXPECT_EQ(plan.ended(), ended::not_yet);
    const std::string all = text(plan);
    EXPECT_NE(all.find("\n12       503      11s and on    1s          interval\n"
                       "…        …        …             …           …\n"
                       "999      503      998s and on   1s          interval\n"
                       "1000     503      999s and on   1s          interval\n"
                       "takes 999s and on, and ends: not within 1000 attempts\n"),
              std::string::npos)
        << all;
    EXPECT_EQ(r2::plan({}, std::vector<r2::outcome>(1500, 503)).attempts().size(), 1500U);
}

TEST(plan, keeps_each_of_200_real_courses_within_its_ranges) {
    const std::vector<r2::outcome> script{503, errc::timeout, 500,
                                          r2::response{.status = 429, .headers = {{"Retry-After", "3"}}}};
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        r2::detail::splitmix64 luck(seed);
        r2::options o{.max_attempts = 6, .timeout = 5s};
        if (seed % 2 == 0) o.deadline = 40s;
        if (seed % 3 == 0) o.jitter = r2::jitter::decorrelated(1s, 10s);
        const auto plan = r2::plan(o, script);

        r2::testing::fake_client fake;
        fake.seed(seed);
        for (const r2::outcome& each : script) {
            const auto takes = r2::duration(static_cast<r2::duration::rep>(luck.unit() * 5e9));
            if (each.attempt().response())
                fake.reply_after(takes, *each.attempt().response());
            else
                fake.hang();
        }
        fake.reply({.status = 429, .headers = {{"Retry-After", "3"}}}).forever();

        o.via = &fake;
        std::size_t i = 0;
        auto range = r2::get("http://job.test/", o);
        for (auto& a : range) {
            const auto& planned = plan.attempts()[i++];
            const auto began = fake.now() - a.elapsed();
            EXPECT_LE(planned.start.least, began) << "seed " << seed << ", attempt " << i;
            EXPECT_GE(planned.start.most, began) << "seed " << seed << ", attempt " << i;
            if (a.ended() == ended::deadline && planned.ended == ended::not_yet) {
                EXPECT_TRUE(planned.may_meet_deadline) << "seed " << seed << ", attempt " << i;
                continue;
            }
            EXPECT_LE(planned.wait.least, a.wait()) << "seed " << seed << ", attempt " << i;
            EXPECT_GE(planned.wait.most, a.wait()) << "seed " << seed << ", attempt " << i;
            EXPECT_EQ(planned.ended, a.ended()) << "seed " << seed << ", attempt " << i;
        }
        EXPECT_LE(plan.total().least, fake.now()) << "seed " << seed;
        EXPECT_GE(plan.total().most, fake.now()) << "seed " << seed;
    }
}

}  // namespace
