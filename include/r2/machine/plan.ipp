#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ostream>

#include "r2/machine/decide.hpp"
#include "r2/machine/plan.hpp"
#include "r2/words/table.hpp"

namespace r2::inline v0_2 {

namespace detail {

using plan_row = std::array<std::string, 5>;

R2_INLINE plan_row row_of(const planned_attempt& a) {
    const response* res = a.what.attempt().response();
    const bool goes_on = a.ended == ended::not_yet;
    return {std::to_string(a.number),
            res ? std::to_string(res->status) : std::string(to_string(a.what.attempt().error().kind())),
            to_string(a.start), goes_on ? to_string(a.wait) : std::string(to_string(a.ended)),
            goes_on ? std::string(to_string(a.wait_from)) : "-"};
}

R2_INLINE std::string text_of(const schedule& s) {
    constexpr std::size_t begin_size = 12, end_size = 2;
    std::vector<plan_row> rows = {{"attempt", "outcome", "starts after", "then waits", "asked by"}};
    const std::size_t size = s.attempts().size();
    for (std::size_t i = 0; i < size; ++i) {
        if (i == begin_size && size > begin_size + end_size) {
            rows.push_back({"…", "…", "…", "…", "…"});
            i = size - end_size;
        }
        rows.push_back(row_of(s.attempts()[i]));
    }
    const auto meets = std::find_if(s.attempts().begin(), s.attempts().end(),
                                    [](const planned_attempt& a) { return a.may_meet_deadline; });
    std::string all = detail::table(rows) + "takes " + to_string(s.total()) + ", and ends: ";
    all += s.ended() == ended::not_yet ? "not within " + std::to_string(size) + " attempts"
                                       : std::string(to_string(s.ended()));
    if (meets != s.attempts().end())
        all += (s.ended() == ended::deadline ? ", from attempt " : ", or deadline from attempt ") +
               std::to_string(meets->number) + " on";
    return all + '\n';
}

/// Runs a script with the shortest and with the longest times, side by side.
class planner {
public:
    planner(const options& o, std::string_view method)
        : options_(o), unlimited_(o), deadline_(limit(o.deadline)), method_(method) {
        unlimited_.deadline = {};
    }

    schedule plan(const std::vector<outcome>& script) {
        std::vector<planned_attempt> attempts;
        do {
            const std::size_t next = std::min(attempts.size(), script.size() - 1);
            attempts.push_back(attempt_of(static_cast<int>(attempts.size() + 1), script[next]));
        } while (attempts.back().ended == ended::not_yet && attempts.size() < std::max(most_attempts, script.size()));
        return {std::move(attempts), {std::min(end_.least, soonest_), end_.most}};
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
        const decision quick = decide(options_, what, at(number, end_.least, 0, backoff_.least));
        a.may_meet_deadline = slowly >= deadline_ && deadline_ < duration::max();
        a.ended = quick.ended;
        if (quick.ended != ended::not_yet) return a;

        const decision slow = decide(unlimited_, what, at(number, end_.most, nearly_1, backoff_.most));
        if (slow.wait_from == wait_source::backoff) backoff_ = {quick.wait, slow.wait};
        // For the slow run a date in Retry-After is nearer, and may be past.
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
    duration soonest_ = duration::max();  // the earliest end by the deadline
};

}  // namespace detail

R2_INLINE std::string to_string(const time_range& r) {
    if (r.least == r.most) return to_string(r.least);
    return to_string(r.least) + (r.most == duration::max() ? " and on" : " to " + to_string(r.most));
}

R2_INLINE std::ostream& operator<<(std::ostream& out, const schedule& s) { return out << detail::text_of(s); }

R2_INLINE schedule plan(const options& o, std::vector<outcome> script, std::string_view method) {
    if (script.empty()) script.emplace_back(503);
    return detail::planner(o, method).plan(script);
}

}  // namespace r2::inline v0_2
