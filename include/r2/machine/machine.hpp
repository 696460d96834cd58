#pragma once

#include <algorithm>
#include <concepts>
#include <optional>

#include "r2/policy/options.hpp"
#include "r2/policy/predicates.hpp"
#include "r2/policy/server_timing.hpp"
#include "r2/policy/throttled.hpp"

namespace r2::inline v0_2 {

/// What stays the same for all attempts of a range.
struct rules {
    int max_attempts = 0;
    r2::replay replay = r2::replay::always;
    retry_after_policy retry_after = {};
    duration interval = {};
    time_point deadline = never;
};

/// Those of these options, for a range that was first pulled then.
inline rules rules_of(const options& o, time_point began) {
    return {o.max_attempts, o.replay, o.retry_after, o.interval,
            o.deadline > duration{} ? later(began, o.deadline) : never};
}

/// What became of one attempt, as far as the rules look at it.
struct facts {
    int number = 1;
    std::optional<int> status = {};  ///< Nothing: an error instead.
    r2::sent sent = r2::sent::no;    ///< Of the error.
    bool idempotent = true;          ///< The request as sent.
    bool cut_by_stop = false;        ///< The error is the stop's own doing.
    bool stop_requested = false;
};

/// Stop for this reason, or wait this long and go on.
struct verdict {
    r2::ended ended = r2::ended::not_yet;
    duration wait = {};
    wait_source wait_from = wait_source::none;

    friend bool operator==(const verdict&, const verdict&) = default;
};

/// What only the user's own callables and the response can answer. Each is asked at most once, and only if the rules
/// get that far.
template <class A>
concept answers = requires(A& a, int retry, duration previous, double u) {
    { a.terminate_if() } -> std::same_as<std::optional<bool>>;  // nothing: not set
    { a.retry_if() } -> std::same_as<bool>;
    { a.retry_after() } -> std::same_as<std::optional<duration>>;  // as the server asked, unlimited
    { a.backoff(retry, previous, u) } -> std::same_as<duration>;   // with jitter
};

/// Decides what follows an attempt. No clock, no I/O, no chance of its own: a value that is told everything.
class machine {
public:
    /// `previous` is the last wait of backoff, where this goes on with what another began.
    constexpr explicit machine(const rules& r, duration previous = {}) noexcept : rules_(r), previous_(previous) {}

    /// The rules in their order; the first that matches wins. `u` in [0, 1) is the chance that jitter gets.
    constexpr verdict decide(const facts& f, time_point now, double u, answers auto& ask) {
        const bool failed = !f.status || *f.status >= 400;

        if (f.cut_by_stop) return {ended::stopped};
        const std::optional<bool> terminate = ask.terminate_if();
        if (terminate.value_or(false)) return {ended::condition_met};
        if (!failed && !terminate) return {ended::succeeded};
        if (failed && !ask.retry_if()) return {ended::not_retryable};
        if (!f.status && f.sent == sent::maybe && rules_.replay == replay::when_safe && !f.idempotent)
            return {ended::unsafe_to_replay};
        if (rules_.max_attempts > 0 && f.number >= rules_.max_attempts) return {ended::exhausted};
        if (f.stop_requested) return {ended::stopped};
        return past_deadline(next_wait(f.number - 1, u, ask), now);
    }

    /// The last rule, which a guard's longer wait has to pass again.
    constexpr verdict past_deadline(const verdict& v, time_point now) const noexcept {
        const bool past = rules_.deadline != never && later(now, v.wait) >= rules_.deadline;
        return past && v.ended == ended::not_yet ? verdict{ended::deadline} : v;
    }

private:
    constexpr verdict next_wait(int retry, double u, answers auto& ask) {
        const retry_after_policy& policy = rules_.retry_after;
        if (const auto asked = policy.honour ? ask.retry_after() : std::nullopt) {
            const duration max = policy.max > duration{} ? policy.max : retry_after_policy{}.max;
            if (*asked > max && policy.over == over_max::stop) return {ended::retry_after_too_long};
            return {ended::not_yet, policy.over == over_max::clamp ? std::min(*asked, max) : *asked,
                    wait_source::retry_after};
        }
        if (rules_.interval > duration{}) return {ended::not_yet, rules_.interval, wait_source::interval};
        previous_ = ask.backoff(retry, previous_, u);
        return {ended::not_yet, previous_, wait_source::backoff};
    }

    rules rules_;
    duration previous_;  // for a jitter that grows from it
};

/// All but what the loop knows of its stop.
inline facts facts_of(const request& q, const attempt& a) {
    facts f{.number = a.number(), .sent = a.error().sent(), .idempotent = is_idempotent(q)};
    if (a.response()) f.status = a.response()->status;
    return f;
}

/// What the predicates said of an attempt, as far as the rules asked them.
struct opinion {
    std::optional<bool> terminate = {};
    bool retry = false;
};

/// Asks the predicates what the rules would ask of this attempt, and no more.
inline opinion opinion_of(const attempt& a, answers auto& ask) {
    opinion said{.terminate = ask.terminate_if()};
    const bool failed = !a.response() || a.response()->status >= 400;
    said.retry = failed && !said.terminate.value_or(false) && ask.retry_if();
    return said;
}

/// The answers of these options about this attempt. `wall_now` is only called where a server names a date, and a
/// predicate only where what it said isn't `known`.
template <class WallNow> class answers_of {
public:
    answers_of(const options& o, const attempt& a, WallNow wall_now, const opinion* known = nullptr)
        : options_(o), attempt_(a), wall_now_(wall_now), known_(known) {}

    std::optional<bool> terminate_if() const {
        if (known_) return known_->terminate;
        return options_.terminate_if ? std::optional(options_.terminate_if(attempt_)) : std::nullopt;
    }
    bool retry_if() const {
        if (known_) return known_->retry;
        return options_.retry_if ? options_.retry_if(attempt_) : transient(attempt_);
    }
    std::optional<duration> retry_after() const {
        return attempt_.response() ? detail::server_wait(*attempt_.response(), wall_now_()) : std::nullopt;
    }
    duration backoff(int retry, duration previous, double u) const {
        const bool slower = options_.throttle_backoff && throttled(attempt_);
        const r2::backoff& growth = slower ? *options_.throttle_backoff : options_.backoff;
        const duration wait = options_.jitter.apply(growth.delay(retry), previous, u);
        const bool may_ask = attempt_.response() && options_.retry_after.honour;
        return may_ask ? detail::at_least_as_amazon_asks(*attempt_.response(), wait) : wait;
    }

private:
    const options& options_;
    const attempt& attempt_;
    WallNow wall_now_;
    const opinion* known_;
};

}  // namespace r2::inline v0_2
