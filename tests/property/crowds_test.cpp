#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>

#include "property/crowd.hpp"
#include "property/report.hpp"
#include "property/seeds.hpp"

// Random requests at once, through `all`: half of these crowds with nothing between them, so that each execution has to
// be the model's of that request alone; the others with limits, slow loops, breaks and callables that meddle. All are
// held against the promises. R2_FIRST_SEED, R2_LOOPS and R2_SEED are as for the single loops.

namespace r2::property {
namespace {

std::string told(const crowd_case& c, const crowd& seen) {
    std::ostringstream text;
    text << c.jobs.size() << " requests at " << c.hosts << " hosts, at most " << c.limits.max_in_flight
         << " in flight and " << c.limits.max_per_host << " at each; deadline " << r2::to_string(c.deadline)
         << ", breaks at " << c.breaks_at << (c.resumes ? " and resumes\n" : "\n");
    for (std::size_t i = 0; i < c.jobs.size(); ++i) {
        report r(text);
        text << "--- " << i << ": ";
        r.tell(c.jobs[i]);
        r.compare(seen.expected_of(i), seen.seen_of(i));
    }
    return text.str();
}

TEST(crowds, of_up_to_6_requests_go_as_each_would_alone_and_keep_the_promises) {
    const seeds all(usual_loops / 20);
    crowd c;
    std::size_t attempts = 0;
    for (std::uint64_t seed = all.first; seed < all.first + all.count; ++seed) {
        const crowd_case one = make_crowd(seed);
        const std::string broken = c.run(one);
        if (all.only) std::cout << told(one, c);
        ASSERT_EQ(broken, "") << "doesn't hold of R2_SEED=" << seed << '\n' << told(one, c);
        attempts += c.attempts();
    }
    if (all.count >= 10'000) {
        EXPECT_GT(attempts, all.count * 3);
    }
}

}  // namespace
}  // namespace r2::property
