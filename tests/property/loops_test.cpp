#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "property/cases.hpp"
#include "property/consumer.hpp"
#include "property/promises.hpp"
#include "property/report.hpp"

// Loops of random cases on virtual time, each compared to a model that was written from the rules alone, and held
// against the promises. The seeds are 1 to 1,000,000; R2_FIRST_SEED=n begins elsewhere, R2_LOOPS=n runs as many, and
// R2_SEED=n runs that one only, and tells it.

namespace r2::property {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t usual_loops = 100'000;
#else
constexpr std::uint64_t usual_loops = 1'000'000;
#endif

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// One case, run by the model and in truth. Kept from case to case, as are the allocations of its courses.
class trial {
public:
    /// What is wrong with it; nothing in almost all cases.
    std::string run(std::uint64_t seed) {
        case_ = case_maker(seed).make();
        expected_.clear();
        seen_.clear();
        {
            model_side side(case_, expected_);
            consume(case_, side, expected_);
        }
        real_side side(case_, seen_);
        consume(case_, side, seen_);

        if (side.told_secret()) return "no secret is in a message";
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

    const course& seen() const { return seen_; }

private:
    loop_case case_;
    course expected_, seen_;
};

TEST(loops, a_million_loops_agree_with_the_rules_as_written_and_keep_the_promises) {
    const std::uint64_t only = from_environment("R2_SEED", 0);
    const std::uint64_t first = only ? only : from_environment("R2_FIRST_SEED", 1);
    const std::uint64_t loops = only ? 1 : from_environment("R2_LOOPS", usual_loops);
    trial t;
    for (std::uint64_t seed = first; seed < first + loops; ++seed) {
        const std::string broken = t.run(seed);
        if (only) std::cout << t.told();
        ASSERT_EQ(broken, "") << "doesn't hold of R2_SEED=" << seed << '\n' << t.told();
    }
}

}  // namespace
}  // namespace r2::property
