#pragma once

#include <optional>

#include "property/mark.hpp"
#include "property/model_world.hpp"
#include "property/questions.hpp"

namespace r2::property {

/// The results of the predicates on an outcome: each is called at most once.
struct opinion {
    bool met = false;    ///< `terminate_if` holds.
    bool again = false;  ///< It is a failure that may pass.
};

/// An attempt, or a copy of one, and what isn't seen of it.
struct model_attempt {
    mark shown = {};
    int method = 0;  ///< Of the request as it is sent.
    bool key = false;
    const step* from = nullptr;  ///< What the server did, where the outcome is that.
    bool cut = false;            ///< By the stop.
    std::optional<property::opinion> opinion = {};
    trace copies = {};  ///< What became of each, where it is hedged.

    void fail(errc kind, r2::sent s) {
        shown.outcome = -static_cast<int>(kind);
        shown.sent = s;
        from = nullptr;
    }
};

/// The user's callables.
class model_callables {
public:
    model_callables(const loop_case& c, trace& out, model_world& world) : c_(c), out_(out), world_(world) {}

    /// Whether before_attempt answers.
    bool before(model_attempt& a) {
        if (!c_.before.set) return false;
        out_.push_back(world_.now(seen::before, {.number = a.shown.number}));
        const deed d = act(c_.before, a, thrower::before);
        if (d == deed::to_put) a.method = 2;
        if (d == deed::adds_key) a.key = true;
        if (d == deed::answers) a.shown.outcome = c_.before.status;
        return d == deed::answers;
    }

    void after(model_attempt& a) {
        if (!c_.after.set) return;
        show(seen::after, a);
        const deed d = act(c_.after, a, thrower::after);
        mark& m = a.shown;
        if (d == deed::to_status && m.outcome > 0) m.outcome = c_.after.status;
        if (d == deed::to_error) a.fail(errc::timeout, r2::sent::maybe);
        if (d != deed::to_response) return;
        m.outcome = c_.after.status;
        m.sent = r2::sent::no;
        a.from = nullptr;
    }

    void on(const model_attempt& a) {
        if (!c_.on.set) return;
        show(seen::on, a);
        act(c_.on, a, thrower::on);
    }

    property::opinion opinion_of(const mark& m) {
        property::opinion o;
        const bool polls = c_.terminate_if.question != question::unset;
        o.met = polls && ask(c_.terminate_if, seen::terminate_if, thrower::terminate_if, m);
        const bool failed = m.outcome < 0 || m.outcome >= 400;
        o.again = failed && !o.met && worth_another(m);
        return o;
    }

    duration delay(const backoff_plan& p, int retry) {
        if (p.kind != backoff_kind::custom) return plain_backoff(p).delay(retry);
        out_.push_back(world_.now(seen::backoff, {.number = retry}));
        if (retry == p.throws_at) throw oops{c_.seed, thrower::backoff};
        return custom_delay(retry);
    }

private:
    /// Does the deed of a callable, and returns it.
    deed act(const habit& h, const model_attempt& a, thrower who) {
        const deed d = h.now(a.shown.number);
        if (d == deed::advances) world_.advance(h.d);
        if (d == deed::stops) world_.request_stop();
        if (d == deed::throws) throw oops{c_.seed, who};
        return d;
    }

    void show(seen what, const model_attempt& a) {
        out_.insert(out_.end(), a.copies.begin(), a.copies.end());
        mark m = world_.now(what, a.shown);
        m.method = a.method;
        out_.push_back(m);
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

    const loop_case& c_;
    trace& out_;
    model_world& world_;
};

}  // namespace r2::property
