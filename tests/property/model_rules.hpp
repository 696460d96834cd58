#pragma once

#include <algorithm>

#include <r2/words/random.hpp>

#include "property/model_callables.hpp"
#include "property/model_guards.hpp"
#include "property/model_world.hpp"

namespace r2::property {

/// The rules that decide what follows an attempt.
class model_rules {
public:
    model_rules(const loop_case& c, model_world& world, model_guards& guards, model_callables& callables)
        : c_(c), world_(world), guards_(guards), callables_(callables), chance_(c.seed) {}

    /// The range is pulled for the first time.
    void begin() {
        if (c_.deadline > 0ns) deadline_ = later(world_.now(), c_.deadline);
    }

    time_point deadline() const noexcept { return deadline_; }

    /// One so far off that no clock shows it is none. (The design leaves it open.)
    bool past_deadline(time_point t) const noexcept { return deadline_ != never && t >= deadline_; }

    /// The wait that the server asked for with this outcome, if the policy honours it; 0: none.
    duration asked_for(const model_attempt& a, duration now) const {
        return c_.retry_after.honour && a.from ? asked_by(*a.from, now) : 0ns;
    }

    /// Whether the range ends with this attempt, or how long it waits; the guards are asked for the `next` one.
    void decide(model_attempt& a, model_guards::admission& next) {
        const double u = chance_.unit();  // "its random number is handed in": one for each decision, used or not
        a.shown.ended = first_match(a, u, next);
        if (a.shown.ended == ended::not_yet) return;
        a.shown.wait = {};
        a.shown.wait_from = wait_source::none;
    }

private:
    ended first_match(model_attempt& a, double u, model_guards::admission& next) {
        mark& m = a.shown;
        const bool failed = m.outcome < 0 || m.outcome >= 400;
        if (a.cut) return ended::stopped;
        const opinion said = a.opinion ? *a.opinion : callables_.opinion_of(m);
        if (said.met) return ended::condition_met;
        if (!failed && c_.terminate_if.question == question::unset) return ended::succeeded;
        if (failed && !said.again) return ended::not_retryable;
        if (m.sent == r2::sent::maybe && c_.replay == replay::when_safe && !safe_to_repeat(a.method, a.key))
            return ended::unsafe_to_replay;
        if (m.number == c_.max_attempts) return ended::exhausted;
        if (world_.stopped()) return ended::stopped;
        if (!choose_wait(a, u)) return ended::retry_after_too_long;
        // Part 2 has the guards asked "after every other rule": so after rule 9 for the loop's own wait, too.
        if (past_deadline(later(world_.now(), m.wait))) return ended::deadline;
        guards_.ask(m.number + 1, next);
        if (next.refused_by) return m.refusal = next.refused_by, ended::refused;
        if (next.wait > m.wait) {
            m.wait = next.wait;
            m.wait_from = wait_source::guard;
        }
        return past_deadline(later(world_.now(), m.wait)) ? ended::deadline : ended::not_yet;
    }

    /// Rule 8 but for the guards: false where the server asks for too long a wait.
    bool choose_wait(model_attempt& a, double u) {
        const duration asked = asked_for(a, world_.elapsed());
        const duration most = c_.retry_after.max > 0ns ? c_.retry_after.max : 6h;
        if (asked > most && c_.retry_after.over == over_max::stop) return false;
        if (asked > 0ns) {
            a.shown.wait_from = wait_source::retry_after;
            a.shown.wait = c_.retry_after.over == over_max::wait ? asked : std::min(asked, most);
        } else if (c_.interval > 0ns) {
            a.shown.wait_from = wait_source::interval;
            a.shown.wait = c_.interval;
        } else {
            a.shown.wait_from = wait_source::backoff;
            a.shown.wait = backed_off(a.shown, u);
        }
        return true;
    }

    duration backed_off(const mark& m, double u) {
        const bool throttled = c_.throttle_backoff && m.outcome == 429;
        const backoff_plan& p = throttled ? *c_.throttle_backoff : c_.backoff;
        const int retry = m.number - 1;
        return previous_ = jitter_of(c_).apply(callables_.delay(p, retry), previous_, u);
    }

    const loop_case& c_;
    model_world& world_;
    model_guards& guards_;
    model_callables& callables_;
    r2::detail::splitmix64 chance_;
    time_point deadline_ = never;
    duration previous_ = {};  // of backoff: what others asked for doesn't make it grow
};

}  // namespace r2::property
