#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/config.hpp"
#include "r2/policy/options.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/outcome.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// The shortest and the longest time that something takes. `duration::max()`: no limit.
struct time_range {
    duration least = {};
    duration most = {};

    friend bool operator==(const time_range&, const time_range&) = default;
};

/// Formats a range as "2s", "0s to 2s" or "0s and on".
std::string to_string(const time_range& r);

/// One attempt of a plan.
struct planned_attempt {
    int number = 1;
    outcome what;
    time_range start = {};  ///< Since the first pull.
    time_range wait = {};   ///< After it; 0 on the last.
    wait_source wait_from = wait_source::none;
    r2::ended ended = r2::ended::not_yet;  ///< The reason why it is the last; else `not_yet`.
    bool may_meet_deadline = false;        ///< Whether the range may also end here, by its deadline.
};

/// The result of `plan`.
class schedule {
public:
    /// `attempts` has at least one element. `total` counts from the first pull to the end.
    schedule(std::vector<planned_attempt> attempts, const time_range& total)
        : attempts_(std::move(attempts)), total_(total) {}

    const std::vector<planned_attempt>& attempts() const noexcept { return attempts_; }
    const time_range& total() const noexcept { return total_; }

    /// Returns the reason for the end; `not_yet` if the plan reached its limit of attempts.
    r2::ended ended() const noexcept { return attempts_.back().ended; }

    /// Prints a table. Leaves out the middle of a long one.
    friend std::ostream& operator<<(std::ostream& out, const schedule& s);

private:
    std::vector<planned_attempt> attempts_;
    time_range total_;
};

/// Computes the schedule of a range with these options whose attempts have the outcomes of `script`: the earliest and
/// latest start of each attempt, and the shortest and longest waits. The script's last outcome repeats for ever. Sends
/// nothing.
///
///     std::cout << r2::plan({.max_attempts = 5, .timeout = 10s});   // 80 s at most
///
/// An attempt takes from no time to `timeout`; one that times out takes all of it. Leaves out hooks, guards, copies and
/// the stop. Calls predicates two or three times for each attempt. Ends after 1,000 attempts, or the script if that is
/// longer.
schedule plan(const options& o, std::vector<outcome> script = {503}, std::string_view method = "GET");

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/machine/plan.ipp"
#endif
