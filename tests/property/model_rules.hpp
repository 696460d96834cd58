#pragma once

#include <algorithm>

#include <r2/words/chance.hpp>

#include "property/model_guards.hpp"
#include "property/model_world.hpp"
#include "property/questions.hpp"

namespace r2::property {

/// An attempt, and what isn't seen of it.
struct model_attempt {
    mark shown = {};
    int method = 0;  ///< Of the request as it is sent.
    bool key = false;
    const step* from = nullptr;  ///< What the server did, where the outcome is that.
    bool cut = false;            ///< By the stop.

    void fail(errc kind, r2::sent s) {
        shown.outcome = -static_cast<int>(kind);
        shown.sent = s;
        from = nullptr;
    }
};

/// The rules that decide what follows an attempt.
class model_rules {
public:
    model_rules(const loop_case& c, trace& out, model_world& world, model_guards& guards)
        : c_(c), out_(out), world_(world), guards_(guards), chance_(c.seed) {}

    /// The range is pulled for the first time.
    void begin() {
        if (c_.deadline > 0ns) deadline_ = later(world_.now(), c_.deadline);
    }

    time_point deadline() const noexcept { return deadline_; }

    /// One so far off that no clock shows it is none. (The design leaves it open.)
    bool past_deadline(time_point t) const noexcept { return deadline_ != never && t >= deadline_; }

    /// Whether the range ends with this attempt, or how long it waits.
    void decide(model_attempt& a) {
        const double u = chance_.unit();  // "its random number is handed in": one for each decision, used or not
        a.shown.ended = first_match(a, u);
        if (a.shown.ended == ended::not_yet) return;
        a.shown.wait = {};
        a.shown.wait_from = wait_source::none;
    }

private:
    ended first_match(model_attempt& a, double u) {
        mark& m = a.shown;
        const bool failed = m.outcome < 0 || m.outcome >= 400;
        if (a.cut) return ended::stopped;
        const bool polls = c_.terminate_if.question != question::unset;
        if (polls && ask(c_.terminate_if, seen::terminate_if, thrower::terminate_if, m)) return ended::condition_met;
        if (!failed && !polls) return ended::succeeded;
        if (failed && !worth_another(m)) return ended::not_retryable;
        if (m.sent == r2::sent::maybe && c_.replay == replay::when_safe && !safe_to_repeat(a.method, a.key))
            return ended::unsafe_to_replay;
        if (m.number == c_.max_attempts) return ended::exhausted;
        if (world_.stopped()) return ended::stopped;
        if (!choose_wait(a, u)) return ended::retry_after_too_long;
        // Part 2 has the guards asked "after every other rule": so after rule 9 for the loop's own wait, too.
        if (past_deadline(later(world_.now(), m.wait))) return ended::deadline;
        const model_guards::admission all = guards_.ask(m.number + 1);
        if (all.refused_by) return m.refusal = all.refused_by, ended::refused;
        if (all.wait > m.wait) {
            m.wait = all.wait;
            m.wait_from = wait_source::guard;
        }
        return past_deadline(later(world_.now(), m.wait)) ? ended::deadline : ended::not_yet;
    }

    bool ask(const asked& a, seen which, thrower who, const mark& m) {
        if (a.form == form_of::response && m.outcome < 0) return a.negated;
        const int number = a.form == form_of::attempt ? m.number : 0;
        out_.push_back(world_.now(which, {.number = number, .outcome = m.outcome}));
        if (number && number == a.throws_at) throw oops{c_.seed, who};
        return holds(a.question, number, m.outcome) != a.negated;
    }

    bool worth_another(const mark& m) {
        if (c_.retry_if.question != question::unset) return ask(c_.retry_if, seen::retry_if, thrower::retry_if, m);
        return is_transient(m.outcome);
    }

    /// Rule 8 but for the guards: false where the server asks for too long a wait.
    bool choose_wait(model_attempt& a, double u) {
        const duration asked_for = c_.retry_after.honour && a.from ? asked_by(*a.from, world_.elapsed()) : 0ns;
        const duration most = c_.retry_after.max > 0ns ? c_.retry_after.max : 6h;
        if (asked_for > most && c_.retry_after.over == over_max::stop) return false;
        if (asked_for > 0ns) {
            a.shown.wait_from = wait_source::retry_after;
            a.shown.wait = c_.retry_after.over == over_max::wait ? asked_for : std::min(asked_for, most);
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
        return previous_ = jitter_of(c_).apply(delay(p, retry), previous_, u);
    }

    duration delay(const backoff_plan& p, int retry) {
        if (p.kind != backoff_kind::custom) return plain_backoff(p).delay(retry);
        out_.push_back(world_.now(seen::backoff, {.number = retry}));
        if (retry == p.throws_at) throw oops{c_.seed, thrower::backoff};
        return custom_delay(retry);
    }

    const loop_case& c_;
    trace& out_;
    model_world& world_;
    model_guards& guards_;
    r2::detail::splitmix64 chance_;
    time_point deadline_ = never;
    duration previous_ = {};  // of backoff: what others asked for doesn't make it grow
};

}  // namespace r2::property
