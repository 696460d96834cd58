#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "property/case.hpp"

namespace r2::property {

/// The events of a loop that can be seen from outside.
enum class seen {
    admitted,  ///< A guard is asked.
    recorded,
    cancelled,
    before,  ///< A callable is called.
    after,
    on,
    terminate_if,
    retry_if,
    backoff,
    copy,  ///< Of a hedged attempt that is shown next: what became of one of its copies.
    yielded,
    finished,    ///< What finish() returned.
    at_end,      ///< The loop is at its end.
    not_at_end,  ///< It isn't, where it should be.
    left,        ///< The consumer leaves the loop.
    threw,
    stuck,  ///< A wait would never end.
    slept,
    sent,
};

/// One of these, with all that it shows. A plain value, so that a million traces are cheap to compare.
struct mark {
    property::seen seen = {};
    int guard = 0;     ///< Which one is asked or told.
    int method = 0;    ///< Of the request.
    bool key = false;  ///< Whether the request has one.
    int number = 0;    ///< Of the attempt, or of the retry.
    int outcome = 0;   ///< The status, or the errc with a minus.
    r2::sent sent = r2::sent::no;
    int sends = 0;
    int requests = 0;  ///< So many were sent until now.
    duration now = {};
    duration told = {};                          ///< The time that it was given.
    duration elapsed = {};                       ///< Of a copy: its own.
    r2::ended ended = r2::ended::not_yet;        ///< The attempt's.
    r2::ended range_ended = r2::ended::not_yet;  ///< The range's.
    duration wait = {};                          ///< Of a copy: how long after its attempt it went out.
    wait_source wait_from = wait_source::none;
    int refusal = 0;   ///< The guard that gave it, from 1.
    oops thrown = {};  ///< What, and so by whom.
    hedged_copy::fate became = hedged_copy::fate::lost;

    friend bool operator==(const mark&, const mark&) = default;
};

/// All that was seen of one loop.
using trace = std::vector<mark>;

inline std::string text_of_outcome(const mark& m) {
    if (m.outcome >= 0) return std::to_string(m.outcome);
    return std::string(to_string(static_cast<errc>(-m.outcome))) + ", sent " + std::string(to_string(m.sent));
}

/// One line, for people.
inline std::string to_string(const mark& m) {
    static constexpr const char* names[] = {"admit",    "record",  "cancel", "before", "after",  "on",  "terminate_if",
                                            "retry_if", "backoff", "copy",   "yield",  "finish", "end", "not the end",
                                            "leave",    "threw",   "stuck",  "slept",  "sent"};
    static constexpr const char* throwers[] = {
        "nobody of the user's", "before_attempt", "after_attempt", "on_attempt", "terminate_if", "retry_if", "backoff",
        "the script",           "admit",          "record",        "the body"};
    std::string text = r2::to_string(m.now) + ": " + names[static_cast<int>(m.seen)];
    switch (m.seen) {
        case seen::slept:
            return text + ' ' + r2::to_string(m.wait);
        case seen::sent:
            return text + ' ' + std::string(methods[static_cast<std::size_t>(m.method)]) + (m.key ? " with key" : "");
        case seen::copy:
            return text + ' ' + std::string(to_string(m.became)) + " +" + r2::to_string(m.wait) + " took " +
                   r2::to_string(m.elapsed) + " [" + text_of_outcome(m) + "] sends " + std::to_string(m.sends);
        case seen::backoff:
            return text + " of retry " + std::to_string(m.number);
        case seen::threw:
            text += std::string(" by ") + throwers[static_cast<int>(m.thrown.who)];
            if (m.thrown.who == thrower::admit || m.thrown.who == thrower::record)
                text += " of guard " + std::to_string(m.thrown.guard);
            [[fallthrough]];
        case seen::at_end:
        case seen::not_at_end:
        case seen::left:
        case seen::stuck:
            return text + ", range " + std::string(to_string(m.range_ended)) + ", requests " +
                   std::to_string(m.requests);
        case seen::admitted:
        case seen::cancelled:
        case seen::recorded:
            text += " by guard " + std::to_string(m.guard) + " told " + r2::to_string(m.told);
            break;
        default:
            break;
    }
    text += " #" + std::to_string(m.number);
    if (m.outcome) text += " [" + text_of_outcome(m) + ']';
    text += " sends " + std::to_string(m.sends) + " of " + std::to_string(m.requests) + ", took " +
            r2::to_string(m.elapsed);
    if (m.ended != ended::not_yet) text += ", " + std::string(to_string(m.ended));
    if (m.range_ended != ended::not_yet && m.range_ended != m.ended)
        text += ", range " + std::string(to_string(m.range_ended));
    if (m.wait != 0ns) text += ", wait " + r2::to_string(m.wait) + " by " + std::string(to_string(m.wait_from));
    if (m.refusal) text += ", refused by " + std::to_string(m.refusal - 1);
    return text;
}

}  // namespace r2::property
