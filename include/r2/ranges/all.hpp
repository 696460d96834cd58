#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "r2/drivers/source.hpp"
#include "r2/ranges/pulled_range.hpp"
#include "r2/words/job_attempt.hpp"
#include "r2/words/progress.hpp"

namespace r2::inline v0_2 {

class [[nodiscard("a range that is not pulled sends nothing: loop over it")]] all_attempts;

/// The attempts of many requests, in the order in which they end: a single-pass range of `job_attempt&` that works as
/// it is pulled, on the thread that pulls it. Each request that was read has exactly one last attempt in it; only an
/// exception of the user's own callables, or of the range of requests, ends it sooner.
class all_attempts : public detail::pulled_range<detail::job_attempt_source, job_attempt> {
public:
    explicit all_attempts(std::unique_ptr<detail::job_attempt_source> source) : pulled_range(std::move(source)) {}

    r2::progress progress() const noexcept { return source() ? source()->progress() : r2::progress(); }

    /// Returns how many requests ended for this reason.
    std::size_t count(r2::ended why) const noexcept { return source() ? source()->count(why) : 0; }

    /// Returns one line: "3 of 5 requests done in 4.2s, with 9 attempts: condition_met 2, exhausted 1".
    std::string summary() const {
        return source() ? source()->summary() : "0 of 0 or more requests done in 0s, with 0 attempts";
    }
};

}  // namespace r2::inline v0_2

template <> inline constexpr bool std::ranges::enable_view<r2::all_attempts> = true;
