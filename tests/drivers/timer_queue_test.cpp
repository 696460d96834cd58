#include "r2/drivers/timer_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <vector>

namespace r2::detail {
namespace {

using namespace std::chrono_literals;

struct job {
    std::size_t index;
    timer_queue<job>::timer timer = {};
};

constexpr time_point at(duration since) { return time_point(since); }

std::vector<std::size_t> drain(timer_queue<job>& q) {
    std::vector<std::size_t> order;
    while (!q.empty()) order.push_back(q.pop().index);
    return order;
}

TEST(timer_queue, tells_of_4_by_their_times_and_of_equal_times_by_their_numbers) {
    std::array<job, 4> jobs = {{{0}, {1}, {2}, {3}}};
    timer_queue<job> q;
    EXPECT_EQ(q.next(), never);
    q.set(jobs[3], at(2s));
    q.set(jobs[1], at(3s));
    q.set(jobs[2], at(2s));
    q.set(jobs[0], at(5s));
    EXPECT_EQ(q.next(), at(2s));
    EXPECT_EQ(drain(q), (std::vector<std::size_t>{2, 3, 1, 0}));
    EXPECT_EQ(q.next(), never);
}

TEST(timer_queue, cancels_the_first_and_what_is_not_set) {
    std::array<job, 2> jobs = {{{0}, {1}}};
    timer_queue<job> q;
    q.cancel(jobs[0]);
    q.set(jobs[0], at(1s));
    q.set(jobs[1], at(2s));
    q.cancel(jobs[0]);
    q.cancel(jobs[0]);
    EXPECT_EQ(q.next(), at(2s));
    EXPECT_EQ(drain(q), (std::vector<std::size_t>{1}));
}

TEST(timer_queue, takes_a_job_from_another_queue_for_another_time_and_another_number) {
    std::array<job, 2> jobs = {{{0}, {1}}};
    timer_queue<job> waiting, limits;
    waiting.set(jobs[0], at(9s));
    EXPECT_EQ(&waiting.pop(), &jobs[0]);
    jobs[0].index = 7;  // it is another job's now
    limits.set(jobs[1], at(1s));
    limits.set(jobs[0], at(1s));
    EXPECT_TRUE(waiting.empty());
    EXPECT_EQ(drain(limits), (std::vector<std::size_t>{1, 7}));
}

}  // namespace
}  // namespace r2::detail
