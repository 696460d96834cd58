#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <sstream>
#include <string>

#include "property/mark.hpp"

namespace r2::property {

/// Writes a case and its traces down, for who has to find out what went wrong.
class report {
public:
    explicit report(std::ostream& out) : out_(out) {}

    void tell(const loop_case& c) {
        out_ << "seed " << c.seed << ": " << methods[static_cast<std::size_t>(c.method)];
        field("max_attempts", c.max_attempts);
        time("timeout", c.timeout);
        time("interval", c.interval);
        time("deadline", c.deadline);
        time("stop_grace", c.grace);
        field("max_body", c.max_body);
        if (c.key) out_ << ", idempotency_key";
        if (c.replay == replay::when_safe) out_ << ", when_safe";
        if (c.stop_at) out_ << ", stop at " << r2::to_string(*c.stop_at);
        out_ << '\n';
        tell("terminate_if", c.terminate_if);
        tell("retry_if", c.retry_if);
        tell("backoff", c.backoff);
        if (c.throttle_backoff) tell("throttle_backoff", *c.throttle_backoff);
        out_ << "  jitter " << jitters[static_cast<int>(c.jitter)] << " by " << r2::to_string(c.jitter_by) << " up to "
             << r2::to_string(c.jitter_cap) << "\n  retry_after " << (c.retry_after.honour ? "honoured" : "ignored")
             << " up to " << r2::to_string(c.retry_after.max) << ", over it "
             << overs[static_cast<int>(c.retry_after.over)] << '\n';
        if (c.hedge_copies)
            out_ << "  hedged: " << c.hedge_copies << " copies after " << r2::to_string(c.hedge_after)
                 << (c.hedge_unsafe ? ", unsafe" : "") << '\n';
        tell("before_attempt", c.before);
        tell("after_attempt", c.after);
        tell("on_attempt", c.on);
        for (int i = 0; i < c.guards; ++i) tell(i, c.guard_plans[static_cast<std::size_t>(i)]);
        for (int i = 0; i < c.steps; ++i) tell(c.script[static_cast<std::size_t>(i)]);
        tell(c.consumer);
    }

    /// Side by side: what the rules say, and what was seen.
    void compare(const trace& expected, const trace& seen) {
        const std::size_t lines = std::max(expected.size(), seen.size());
        std::size_t width = 0;
        for (const mark& m : expected) width = std::max(width, to_string(m).size());
        for (std::size_t i = 0; i < lines; ++i) {
            const std::string left = i < expected.size() ? to_string(expected[i]) : "";
            const std::string right = i < seen.size() ? to_string(seen[i]) : "";
            const bool same = i < expected.size() && i < seen.size() && expected[i] == seen[i];
            out_ << (same ? "    " : "!!  ") << left << std::string(width - left.size(), ' ') << " | " << right << '\n';
        }
    }

private:
    static constexpr const char* questions[] = {
        "unset", "always", "never", "is 200", "is 4xx or 5xx", "is a timeout", "from attempt 4 on", "no response"};
    static constexpr const char* deeds[] = {"nothing",   "advances",    "stops",   "throws",
                                            "to PUT",    "adds key",    "answers", "spoils the head",
                                            "to status", "to response", "to error"};
    static constexpr const char* backoffs[] = {"exponential", "linear", "constant", "none", "custom"};
    static constexpr const char* jitters[] = {"none", "full", "equal", "proportional", "additive", "decorrelated"};
    static constexpr const char* overs[] = {"stop", "clamp", "wait"};
    static constexpr const char* answers[] = {"go", "wait", "refuse", "throws"};
    static constexpr const char* asking[] = {"nothing",      "seconds",   "date",     "date by its own clock",
                                             "milliseconds", "malformed", "past date"};
    static constexpr const char* consumers[] = {"runs", "finishes", "takes"};
    static constexpr const char* leavings[] = {"stays", "destroys", "resumes", "finishes", "throws"};

    template <class T> void field(const char* name, T value) {
        if (value != T{}) out_ << ", " << name << ' ' << value;
    }
    void time(const char* name, duration d) {
        if (d != 0ns) out_ << ", " << name << ' ' << r2::to_string(d);
    }

    void tell(const char* name, const asked& a) {
        if (a.question == question::unset) return;
        out_ << "  " << name << ": " << (a.negated ? "not: " : "") << questions[static_cast<int>(a.question)];
        field("form", static_cast<int>(a.form));
        field("throws at", a.throws_at);
        out_ << '\n';
    }

    void tell(const char* name, const backoff_plan& p) {
        out_ << "  " << name << ' ' << backoffs[static_cast<int>(p.kind)] << ' ' << r2::to_string(p.first);
        time("up to", p.cap);
        if (p.throws_at >= 0) out_ << ", custom throws at retry " << p.throws_at;
        out_ << '\n';
    }

    void tell(const char* name, const habit& h) {
        if (!h.set) return;
        out_ << "  " << name << ": at " << h.at << ' ' << deeds[static_cast<int>(h.deed)] << ", time "
             << r2::to_string(h.d) << ", status " << h.status << '\n';
    }

    void tell(int i, const guard_plan& p) {
        out_ << "  guard " << i << (p.null ? " (null):" : ":");
        for (const answer a : p.answers) out_ << ' ' << answers[static_cast<int>(a)];
        time("wait", p.wait);
        field("record throws at", p.record_throws_at);
        field("stops at", p.stops_at);
        out_ << '\n';
    }

    void tell(const step& s) {
        out_ << "  server: ";
        if (s.throws)
            out_ << "throws";
        else if (s.status)
            out_ << s.status << (s.body ? " with body" : "");
        else
            out_ << to_string(s.kind) << ", sent " << to_string(s.sent);
        time("after", s.after);
        if (s.asks != asks::nothing)
            out_ << ", Retry-After " << asking[static_cast<int>(s.asks)] << ' ' << r2::to_string(s.wait);
        out_ << '\n';
    }

    void tell(const consumer_plan& p) {
        out_ << "  consumer " << consumers[static_cast<int>(p.kind)] << ", takes " << p.take << ", compares "
             << p.compares << ", dereferences " << p.dereferences << ", skips " << p.skips << "; at " << p.at << ' '
             << leavings[static_cast<int>(p.leaving)] << (p.stops ? ", stops" : "") << (p.moves_body ? ", moves" : "");
        time("takes", p.advances);
        out_ << '\n';
    }

    std::ostream& out_;
};

}  // namespace r2::property
