#include <gtest/gtest.h>

#include <r2/drivers/job_counts.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::detail::job_counts;

r2::attempt attempt_that(ended why) {
    r2::attempt a(r2::response{.status = 200});
    a.notes().ended = why;
    return a;
}

TEST(job_counts, follow_3_requests_to_their_ends) {
    job_counts c;
    EXPECT_EQ(c.summary(), "0 of 0 or more requests done in 0s, with 0 attempts");
    for (int i = 0; i < 3; ++i) c.read();
    c.started();
    c.started();
    EXPECT_EQ(c.progress().in_flight, 2U);
    EXPECT_EQ(c.progress().waiting, 1U);
    c.no_longer_in_flight();
    c.yielded(attempt_that(ended::not_yet));
    EXPECT_EQ(c.progress().waiting, 2U);
    EXPECT_EQ(c.progress().done, 0U);
    c.elapsed(1500ms);
    EXPECT_EQ(c.summary(), "0 of 3 or more requests done in 1.5s, with 1 attempt");
    c.all_read();
    c.yielded(attempt_that(ended::succeeded));
    c.yielded(attempt_that(ended::exhausted));
    c.no_longer_in_flight();
    c.yielded(attempt_that(ended::exhausted));
    const r2::progress p = c.progress();
    EXPECT_EQ(p.read, 3U);
    EXPECT_EQ(p.done, 3U);
    EXPECT_EQ(p.attempts, 4U);
    EXPECT_EQ(p.in_flight, 0U);
    EXPECT_EQ(p.waiting, 0U);
    EXPECT_TRUE(p.all_read);
    EXPECT_EQ(c.count(ended::exhausted), 2U);
    EXPECT_EQ(c.summary(), "3 of 3 requests done in 1.5s, with 4 attempts: succeeded 1, exhausted 2");
}

TEST(job_counts, have_nothing_in_flight_or_waiting_at_the_end) {
    job_counts c;
    c.read();
    c.read();
    c.started();
    c.end();
    EXPECT_EQ(c.progress().in_flight, 0U);
    EXPECT_EQ(c.progress().waiting, 0U);
    EXPECT_EQ(c.progress().read, 2U);
}

}  // namespace
