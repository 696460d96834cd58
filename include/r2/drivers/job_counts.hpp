#pragma once

#include <cstddef>
#include <string>

#include "r2/drivers/ended_counts.hpp"
#include "r2/execution/history.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/progress.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Counts the requests and attempts of a scheduler.
class job_counts {
public:
    void read() noexcept { ++progress_.read; }
    void all_read() noexcept { progress_.all_read = true; }
    void started() noexcept { ++progress_.in_flight; }
    void no_longer_in_flight() noexcept { --progress_.in_flight; }
    void yielded(const attempt& a) {
        ++progress_.attempts;
        if (!a.is_last()) return;
        ++progress_.done;
        ends_.add(a.ended());
    }
    void elapsed(duration so_far) noexcept { elapsed_ = so_far; }

    /// The range is over, and whatever was in flight is cut.
    void end() noexcept {
        progress_.in_flight = 0;
        over_ = true;
    }

    /// Without the number that wait.
    const r2::progress& so_far() const noexcept { return progress_; }

    r2::progress progress() const noexcept {
        r2::progress p = progress_;
        if (!over_) p.waiting = p.read - p.done - p.in_flight;
        return p;
    }

    std::size_t count(ended why) const noexcept { return ends_.of(why); }

    /// "3 of 5 requests done in 4.2s, with 9 attempts: condition_met 2, exhausted 1".
    std::string summary() const {
        const r2::progress& p = progress_;
        const std::string ends = ends_.text();
        return std::to_string(p.done) + " of " + std::to_string(p.read) + (p.all_read ? "" : " or more") +
               " requests done in " + to_string(rounded(elapsed_)) + ", with " + std::to_string(p.attempts) +
               (p.attempts == 1 ? " attempt" : " attempts") + (ends.empty() ? "" : ": " + ends);
    }

private:
    r2::progress progress_;
    ended_counts ends_;
    duration elapsed_ = {};
    bool over_ = false;
};

}  // namespace r2::inline v0_2::detail
