#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "property/model_callables.hpp"
#include "property/model_guards.hpp"
#include "property/model_rules.hpp"
#include "property/model_world.hpp"

namespace r2::property {

/// One attempt on the wire, as the rules of hedging have it: the original and its copies, of which one that isn't
/// hedged has none. Where they leave something open, a comment says what was chosen.
class model_race {
public:
    model_race(const loop_case& c, model_world& world, model_guards& guards, model_rules& rules,
               model_callables& callables, trace& sent)
        : c_(c), world_(world), guards_(guards), rules_(rules), callables_(callables), sent_(sent) {}

    /// From the first byte to the outcome, which this attempt gets. Its admission goes to the original.
    void run(model_attempt& attempt, model_guards::admission& own) {
        attempt_ = attempt;
        began_ = over_ = world_.now();
        limit_ = rules_.deadline();
        if (c_.timeout > 0ns) limit_ = std::min(limit_, later(began_, c_.timeout));
        left_ = is_hedged() ? std::clamp(c_.hedge_copies, 0, 5) : 0;
        try {
            start(own);
            send_due();
            std::optional<model_attempt> outcome;
            for (bool worked_on = false; !(outcome = go_on(worked_on)); worked_on = true) continue;
            lose_the_rest(errc::stopped);
            finish(attempt, std::move(*outcome));
        } catch (...) {
            abandon();
            throw;
        }
        // Of those that were cut together the user sees one outcome, which is the attempt's.
        if (is_hedged() && !attempt.opinion) callables_.after(attempt);
    }

    /// The outcome of this attempt is there.
    void settle(model_attempt& a, model_guards::admission& own) {
        const time_point over = world_.now();
        try {
            callables_.after(a);
        } catch (...) {
            guards_.record(own, a.shown, over);  // it was sent all the same
            throw;
        }
        if (const auto thrown = guards_.record(own, a.shown, over)) throw *thrown;
        if (!a.cut) a.opinion = callables_.opinion_of(a.shown);
    }

private:
    struct copy {
        model_attempt attempt;
        model_guards::admission admitted;
        const step* server;
        time_point began, ends;
        bool in_flight = true;
        hedged_copy::fate became = hedged_copy::fate::lost;
    };

    bool is_hedged() const {
        return c_.hedge_copies > 0 && (c_.hedge_unsafe || safe_to_repeat(attempt_.method, false));
    }

    /// The next thing that happens; the outcome of the race, once there is one. Of what comes at the same moment, a
    /// completion is the first, of several that of the copy that was sent first; then come a limit, a stop, the next
    /// copy. But where a callable took its time, what came meanwhile is looked at after all these. (The rules leave it
    /// open.)
    std::optional<model_attempt> go_on(bool worked_on) {
        // From when it can be noticed; what nobody has worked on yet gets no grace. (The rules leave it open.)
        if (world_.stopped() && cut_from_ == never)
            cut_from_ = later(world_.now(), worked_on ? std::max(c_.grace, 0ns) : 0ns);
        if (!is_any_in_flight()) return failure_;
        if (limit_ <= world_.now()) return cut_short(errc::timeout);
        if (cut_from_ <= world_.now()) return cut_short(errc::stopped);
        if (may_send() && next_goes() <= world_.now()) return send_due(), std::nullopt;
        if (!first_complete()) world_.go_on_until(next_event());
        copy* const complete = first_complete();
        return complete ? come_in(*complete) : std::nullopt;
    }

    time_point next_event() const {
        time_point next = std::min(limit_, cut_from_);
        for (const copy& each : copies_)
            if (each.in_flight) next = std::min(next, each.ends);
        return may_send() ? std::min(next, next_goes()) : next;
    }

    // Sending.

    bool may_send() const { return left_ > 0 && !world_.stopped() && world_.now() < limit_; }

    time_point next_goes() const { return std::max(next_, not_before_); }

    /// All copies whose time has come, if guards let them.
    void send_due() {
        while (may_send() && next_goes() <= world_.now()) {
            if (!std::exchange(is_admitted_, true)) {
                guards_.ask(attempt_.shown.number + 1, held_);
                if (held_.refused_by) left_ = 0;
                hold_until(later(world_.now(), held_.wait));
                continue;  // it may have to wait, or the guard may have requested a stop
            }
            is_admitted_ = false;
            --left_;
            start(held_);
        }
    }

    void start(model_guards::admission& admitted) {
        const step& s = world_.next_step();
        sent_.push_back({.seen = seen::sent, .method = attempt_.method, .key = attempt_.key});
        if (s.throws) throw oops{c_.seed, thrower::script};
        model_attempt a = attempt_;
        a.shown.sends = s.status || s.sent == r2::sent::maybe;
        copies_.push_back({std::move(a), std::exchange(admitted, {}), &s, world_.now(), later(world_.now(), s.after)});
        next_ = later(world_.now(), std::max(c_.hedge_after, 0ns));
    }

    /// Also what comes after the next copy, which is later still, doesn't go before.
    void hold_until(time_point t) { not_before_ = std::max(not_before_, t); }

    // Outcomes.

    bool is_any_in_flight() const {
        return std::any_of(copies_.begin(), copies_.end(), [](const copy& c) { return c.in_flight; });
    }

    copy* first_complete() {
        const auto complete = [this](const copy& c) { return c.in_flight && c.ends <= world_.now(); };
        const auto found = std::find_if(copies_.begin(), copies_.end(), complete);
        return found == copies_.end() ? nullptr : &*found;
    }

    std::optional<model_attempt> come_in(copy& c) {
        model_attempt& a = c.attempt;
        const step& s = *c.server;
        if (!s.status) {
            a.fail(s.kind, s.sent);
        } else if (s.body && c_.max_body && secret.size() > c_.max_body) {
            a.fail(errc::too_large, r2::sent::maybe);
        } else {
            a.shown.outcome = s.status;
            a.from = &s;
        }
        settle(c);
        // What this machine lacks says nothing against the other copies: no more go out, and that is all.
        const bool lacks = a.shown.outcome == -static_cast<int>(errc::local) && !a.opinion->met;
        if (!a.opinion->again && (!lacks || !is_hedged())) {
            c.became = hedged_copy::fate::won;
            return a;
        }
        c.became = hedged_copy::fate::failed;
        if (!a.opinion->again) {
            left_ = 0;
            if (!failure_) failure_ = a;
            return std::nullopt;
        }
        // It asks from when it was looked at, as it does of an attempt. (The rules leave it open.)
        const duration asked = rules_.asked_for(a, world_.elapsed());
        const time_point asked_until = asked > 0ns ? later(world_.now(), asked) : time_point::min();
        next_ = world_.now();
        hold_until(asked_until);
        // Of two that ask for the same time, the later failure is the attempt's. (The rules leave it open.)
        if (!failure_ || asked_until >= failure_asked_until_) {
            failure_ = a;
            failure_asked_until_ = asked_until;
        }
        send_due();
        return std::nullopt;
    }

    /// All that is in flight is cut.
    std::optional<model_attempt> cut_short(errc why) {
        over_ = world_.now();
        if (!is_hedged()) {
            copy& only = copies_.front();
            lose(only, why);
            only.attempt.cut = why == errc::stopped;
            settle(only);
            return only.attempt;
        }
        lose_the_rest(why);
        if (why == errc::timeout && failure_asked_until_ > time_point::min()) return failure_;
        model_attempt a = attempt_;
        a.fail(why, r2::sent::no);
        a.cut = why == errc::stopped;
        return a;
    }

    void settle(copy& c) {
        c.in_flight = false;
        over_ = world_.now();
        c.attempt.shown.elapsed = over_ - c.began;
        settle(c.attempt, c.admitted);
    }

    void lose(copy& c, errc why) {
        c.in_flight = false;
        c.attempt.shown.elapsed = over_ - c.began;
        c.attempt.fail(why, c.attempt.shown.sends ? r2::sent::maybe : r2::sent::no);
    }

    /// Each hears of it, until one throws.
    void lose_the_rest(errc why) {
        for (copy& c : copies_) {
            if (!c.in_flight) continue;
            lose(c, why);
            if (const auto thrown = guards_.record(c.admitted, c.attempt.shown, over_)) throw *thrown;
        }
        guards_.cancel(held_);
    }

    /// Nobody is there any more for their outcomes: those that are in flight are cancelled, the original last. (The
    /// rules leave it open.)
    void abandon() {
        for (std::size_t i = 1; i < copies_.size(); ++i) guards_.cancel(copies_[i].admitted);
        guards_.cancel(held_);
        if (!copies_.empty()) guards_.cancel(copies_[0].admitted);
    }

    void finish(model_attempt& attempt, model_attempt&& outcome) {
        attempt = std::move(outcome);
        mark& m = attempt.shown;
        m.elapsed = over_ - began_;
        m.sends = 0;
        for (const copy& c : copies_) m.sends += c.attempt.shown.sends;
        if (m.outcome < 0 && m.sends > 0) m.sent = r2::sent::maybe;
        if (!is_hedged()) return;
        for (const copy& c : copies_) {
            const mark& own = c.attempt.shown;
            attempt.copies.push_back({.seen = seen::copy,
                                      .outcome = own.outcome,
                                      .sent = own.sent,
                                      .sends = own.sends,
                                      .elapsed = own.elapsed,
                                      .wait = c.began - began_,
                                      .became = c.became});
        }
    }

    const loop_case& c_;
    model_world& world_;
    model_guards& guards_;
    model_rules& rules_;
    model_callables& callables_;
    trace& sent_;

    model_attempt attempt_;  // as each copy begins
    std::vector<copy> copies_;
    int left_ = 0;
    time_point began_, limit_, over_;
    time_point cut_from_ = never;  // by the stop
    time_point next_ = {}, not_before_ = time_point::min();
    bool is_admitted_ = false;
    model_guards::admission held_;  // of the copy that waits for its time
    std::optional<model_attempt> failure_;
    time_point failure_asked_until_ = time_point::min();
};

}  // namespace r2::property
