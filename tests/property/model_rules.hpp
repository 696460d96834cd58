#pragma once

#include <optional>

#include <r2/words/random.hpp>

#include "oracle/rules.hpp"
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
        // One random number for each decision, used or not.
        question_by_question asked{*this, a, next, chance_.unit(), {}};
        const decision d = oracle::rules_as_written(asked);
        a.shown.ended = d.ended;
        a.shown.wait = d.wait;
        a.shown.wait_from = d.wait_from;
        if (d.ended == ended::refused) a.shown.refusal = next.refused_by;
    }

private:
    /// The case's answers to the rules, each with all that is seen of asking it.
    struct question_by_question {
        model_rules& rules;
        model_attempt& a;
        model_guards::admission& next;
        double u;
        opinion said;

        bool cut_by_stop() const { return a.cut; }
        std::optional<bool> terminate_if() {
            said = a.opinion ? *a.opinion : rules.callables_.opinion_of(a.shown);
            return rules.c_.terminate_if.question == question::unset ? std::nullopt : std::optional(said.met);
        }
        bool failed() const { return a.shown.outcome < 0 || a.shown.outcome >= 400; }
        bool retry_if() const { return said.again; }
        bool failed_after_it_was_sent() const { return a.shown.sent == r2::sent::maybe; }
        bool replays_only_when_safe() const { return rules.c_.replay == replay::when_safe; }
        bool idempotent() const { return safe_to_repeat(a.method, a.key); }
        bool is_number_max_attempts() const { return a.shown.number == rules.c_.max_attempts; }
        bool stop_requested() const { return rules.world_.stopped(); }
        r2::retry_after_policy retry_after_policy() const { return rules.c_.retry_after; }
        std::optional<duration> retry_after() const {
            const duration asked = rules.asked_for(a, rules.world_.elapsed());
            return asked > 0ns ? std::optional(asked) : std::nullopt;
        }
        duration interval() const { return rules.c_.interval; }
        duration backoff() { return rules.backed_off(a.shown, u); }
        bool deadline_is_within(duration wait) const { return rules.past_deadline(later(rules.world_.now(), wait)); }
        std::optional<duration> guards() {
            rules.guards_.ask(a.shown.number + 1, next);
            return next.refused_by ? std::nullopt : std::optional(next.wait);
        }
    };

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
