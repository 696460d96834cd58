#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>

#include "property/case_maker.hpp"
#include "property/consumer.hpp"
#include "property/model.hpp"
#include "property/promises.hpp"
#include "property/real.hpp"
#include "property/report.hpp"
#include "property/seeds.hpp"

// Loops of random cases on virtual time, each compared to a model that was written from the rules alone, and held
// against the promises. The seeds are 1 to 1,000,000; R2_FIRST_SEED=n begins elsewhere, R2_LOOPS=n runs as many, and
// R2_SEED=n runs that one only, and tells it.

namespace r2::property {
namespace {

/// One case, run by the model and in truth. Kept from case to case, as are the allocations of its traces.
class trial {
public:
    /// Returns the defect of this case; empty in almost all cases.
    std::string run(std::uint64_t seed) {
        case_ = case_maker(seed).make();
        expected_.clear();
        seen_.clear();
        {
            model rules(case_, expected_);
            consume(case_, rules, expected_);
        }
        real loop(case_, seen_);
        consume(case_, loop, seen_);

        if (loop.broken()) return loop.broken();
        if (const char* broken = promises(case_, seen_).broken()) return broken;
        return expected_ == seen_ ? "" : "the loop and the rules agree";
    }

    /// All of it, for people.
    std::string told() const {
        std::ostringstream text;
        report r(text);
        r.tell(case_);
        text << "what the rules say | what was seen:\n";
        r.compare(expected_, seen_);
        return text.str();
    }

    /// The last attempt that was shown: how it ended, and who asked for the wait after it.
    const mark* last() const {
        for (auto m = seen_.rbegin(); m != seen_.rend(); ++m)
            if (m->seen == seen::yielded || m->seen == seen::finished) return &*m;
        return nullptr;
    }

private:
    loop_case case_;
    trace expected_, seen_;
};

TEST(loops, a_million_loops_agree_with_the_rules_as_written_and_keep_the_promises) {
    const seeds all(usual_loops);
    std::array<std::uint64_t, 11> ends = {};
    std::array<std::uint64_t, 5> waits = {};
    trial t;
    for (std::uint64_t seed = all.first; seed < all.first + all.count; ++seed) {
        const std::string broken = t.run(seed);
        if (all.only) std::cout << t.told();
        ASSERT_EQ(broken, "") << "doesn't hold of R2_SEED=" << seed << '\n' << t.told();
        if (const mark* last = t.last()) {
            ++ends[static_cast<std::size_t>(last->ended)];
            ++waits[static_cast<std::size_t>(last->wait_from)];
        }
    }
    if (all.count < 10'000) return;
    // So that the cases stay rich: no kind of end or wait is a rare one.
    for (const ended e :
         {ended::not_yet, ended::succeeded, ended::condition_met, ended::not_retryable, ended::exhausted,
          ended::deadline, ended::stopped, ended::refused, ended::retry_after_too_long, ended::unsafe_to_replay})
        EXPECT_GT(ends[static_cast<std::size_t>(e)], all.count / 200) << to_string(e);
    for (const wait_source s :
         {wait_source::backoff, wait_source::interval, wait_source::retry_after, wait_source::guard})
        EXPECT_GT(waits[static_cast<std::size_t>(s)], all.count / 200) << to_string(s);
}

}  // namespace
}  // namespace r2::property
