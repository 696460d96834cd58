#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/machine/decide.hpp"
#include "r2/policy/options.hpp"
#include "r2/words/outcome.hpp"
#include "r2/words/table.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// From the least to the most that something takes; `duration::max()`: without limit.
struct time_range {
    duration least = {};
    duration most = {};

    friend bool operator==(const time_range&, const time_range&) = default;
};

/// "2s", "0s to 2s" or "0s and on".
inline std::string to_string(const time_range& r) {
    if (r.least == r.most) return to_string(r.least);
    return to_string(r.least) + (r.most == duration::max() ? " and on" : " to " + to_string(r.most));
}

namespace detail {

class planner;

}  // namespace detail

/// One attempt of a plan.
struct planned_attempt {
    int number = 1;
    outcome what;
    time_range start = {};  ///< Since the first pull.
    time_range wait = {};   ///< That follows it; 0 on the last.
    wait_source wait_from = wait_source::none;
    r2::ended ended = r2::ended::not_yet;  ///< Why it is the last; `not_yet` where it isn't.
    bool may_meet_deadline = false;        ///< Whether the range may also end here, by its deadline.
};

/// What `plan` foretells.
class schedule {
public:
    const std::vector<planned_attempt>& attempts() const noexcept { return attempts_; }

    /// From the first pull to the end.
    const time_range& total() const noexcept { return total_; }

    /// Of the last attempt; `not_yet` where the plan was broken off.
    r2::ended ended() const noexcept { return attempts_.back().ended; }

    /// A table, of which the middle is left out where it is long.
    friend std::ostream& operator<<(std::ostream& out, const schedule& s) { return out << text(s); }

private:
    friend class detail::planner;

    using row = std::array<std::string, 5>;

    static std::string text(const schedule& s) {
        constexpr std::size_t begin_size = 12, end_size = 2;
        std::vector<row> rows = {{"attempt", "outcome", "starts after", "then waits", "asked by"}};
        const std::size_t size = s.attempts_.size();
        for (std::size_t i = 0; i < size; ++i) {
            if (i == begin_size && size > begin_size + end_size) {
                rows.push_back({"…", "…", "…", "…", "…"});
                i = size - end_size;
            }
            rows.push_back(row_of(s.attempts_[i]));
        }
        const auto meets = std::find_if(s.attempts_.begin(), s.attempts_.end(),
                                        [](const planned_attempt& a) { return a.may_meet_deadline; });
        std::string all = detail::table(rows) + "takes " + to_string(s.total_) + ", and ends: ";
        all += s.ended() == ended::not_yet ? "not within " + std::to_string(size) + " attempts"
                                           : std::string(to_string(s.ended()));
        if (meets != s.attempts_.end())
            all += (s.ended() == ended::deadline ? ", from attempt " : ", or deadline from attempt ") +
                   std::to_string(meets->number) + " on";
        return all + '\n';
    }

    static row row_of(const planned_attempt& a) {
        const response* res = a.what.attempt().response();
        const bool goes_on = a.ended == ended::not_yet;
        return {std::to_string(a.number),
                res ? std::to_string(res->status) : std::string(to_string(a.what.attempt().error().kind())),
                to_string(a.start), goes_on ? to_string(a.wait) : std::string(to_string(a.ended)),
                goes_on ? std::string(to_string(a.wait_from)) : "-"};
    }

    std::vector<planned_attempt> attempts_;
    time_range total_;
};

namespace detail {

/// Goes through a script twice at once: as quickly as can be, and as slowly.
class planner {
public:
    planner(const options& o, std::string_view method)
        : options_(o), unlimited_(o), deadline_(limit(o.deadline)), method_(method) {
        unlimited_.deadline = {};
    }

    schedule plan(const std::vector<outcome>& script) {
        schedule s;
        do {
            const std::size_t next = std::min(s.attempts_.size(), script.size() - 1);
            s.attempts_.push_back(attempt_of(static_cast<int>(s.attempts_.size() + 1), script[next]));
        } while (s.ended() == ended::not_yet && s.attempts_.size() < std::max(most_attempts, script.size()));
        s.total_ = {std::min(end_.least, soonest_), end_.most};
        return s;
    }

private:
    static constexpr std::size_t most_attempts = 1000;
    static constexpr double nearly_1 = 1 - 0x1.0p-53;

    static constexpr duration limit(duration d) noexcept { return d > duration{} ? d : duration::max(); }

    planned_attempt attempt_of(int number, const outcome& what) {
        const duration longest = limit(options_.timeout);
        const bool times_out = what.attempt().error() == errc::timeout && options_.timeout > duration{};
        const duration quickly = sum(start_.least, times_out ? longest : duration{});
        const duration slowly = sum(start_.most, longest);
        end_ = {std::min(quickly, deadline_), std::min(slowly, deadline_)};

        planned_attempt a{.number = number, .what = what, .start = start_};
        const verdict quick = decide(options_, what, at(number, end_.least, 0, backoff_.least));
        a.may_meet_deadline = slowly >= deadline_ && deadline_ < duration::max();
        a.ended = quick.ended;
        if (quick.ended != ended::not_yet) return a;

        const verdict slow = decide(unlimited_, what, at(number, end_.most, nearly_1, backoff_.most));
        if (slow.wait_from == wait_source::backoff) backoff_ = {quick.wait, slow.wait};
        // A date in Retry-After is nearer for who is slow, and may be past.
        const bool changes = slow.wait_from != quick.wait_from;
        const duration slow_least = changes ? decide(unlimited_, what, at(number, end_.most, 0, {})).wait : slow.wait;
        const duration least = std::min(quick.wait, slow_least), most = std::max(quick.wait, slow.wait);
        const duration latest = sum(end_.most, slow.wait);
        if (latest >= deadline_ && deadline_ < duration::max()) {
            a.may_meet_deadline = true;
            soonest_ = std::min(soonest_, std::max(end_.least, deadline_ - most));
        }
        a.wait = {least, std::min(most, deadline_ - end_.least)};
        a.wait_from = quick.wait_from;
        start_ = {sum(end_.least, quick.wait), std::min(latest, deadline_)};
        return a;
    }

    moment at(int number, duration elapsed, double chance, duration previous) const {
        return {.number = number,
                .elapsed = elapsed,
                .chance = chance,
                .previous_wait = previous,
                .method = std::string(method_),
                .wall_now = elapsed < wall_time::max() - wall_now_ ? wall_now_ + elapsed : wall_time::max()};
    }

    const options& options_;
    options unlimited_;
    const duration deadline_;
    const std::string_view method_;
    const wall_time wall_now_ = std::chrono::system_clock::now();
    time_range start_;                    // of the next attempt
    time_range end_;                      // of the last one
    time_range backoff_;                  // the last wait of backoff
    duration soonest_ = duration::max();  // that the deadline may end it
};

}  // namespace detail

/// What a range with these options would do if its attempts went by this script: when each attempt starts and how long
/// the waits are, at the soonest and the latest. The script's last outcome goes on for ever.
///
///     std::cout << r2::plan({.max_attempts = 5, .timeout = 10s});   // 80 s at most
///
/// An attempt takes from no time to `timeout`, all of it where it ends in that. Without I/O, hooks, guards, copies or a
/// stop; predicates are asked two or three times for each attempt. Broken off after 1,000 attempts, or the script if
/// that is longer.
inline schedule plan(const options& o, std::vector<outcome> script = {503}, std::string_view method = "GET") {
    if (script.empty()) script.emplace_back(503);
    return detail::planner(o, method).plan(script);
}

}  // namespace r2::inline v0_2
