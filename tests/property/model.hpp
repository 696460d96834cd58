#pragma once

#include <algorithm>
#include <utility>

#include "property/model_guards.hpp"
#include "property/model_rules.hpp"
#include "property/model_world.hpp"

namespace r2::property {

/// The rules of the loop as part 3 of the design has them, and nothing else: where it leaves something open, a comment
/// says what was chosen. A range as `real` is, of which begin() again changes nothing, ++ only marks, and what looks
/// pulls.
class model {
public:
    model(const loop_case& c, trace& out)
        : c_(c), out_(out), world_(c), guards_(c, out, world_), rules_(c, out, world_, guards_) {}
    model(model&&) = delete;

    void begin() {}
    void move_range() {}
    bool at_end() {
        if (!std::exchange(pulled_, true)) pull();
        return over_;
    }
    mark look() {
        at_end();
        return world_.now(seen::yielded, attempt_.shown);
    }
    void next() {
        at_end();
        pulled_ = false;
    }
    mark finish() {
        while (!at_end()) next();
        mark m = world_.now(seen::finished, attempt_.shown);
        m.ended = ended_;
        m.wait = {};
        m.wait_from = wait_source::none;
        return m;
    }
    template <class F> void take(int n, F f) {
        for (int i = 0; i < n && !at_end(); ++i, next()) f(look());
    }
    void move_body() { at_end(); }
    r2::ended ended() const noexcept { return ended_; }
    void destroy() { guards_.cancel(); }

    void advance(duration d) { world_.advance(d); }
    void request_stop() { world_.request_stop(); }

    mark now(seen what) const { return world_.now(what); }
    void append_record(trace& out) const {
        out.insert(out.end(), slept_.begin(), slept_.end());
        out.insert(out.end(), sent_.begin(), sent_.end());
    }

private:
    /// The next attempt, or the end.
    void pull() {
        if (over_) return;
        try {
            if (attempt_.shown.number == 0) rules_.begin();
            over_ = ended_ != ended::not_yet || !go_on();
        } catch (...) {
            guards_.cancel();
            ended_ = ended::threw;
            over_ = true;
            throw;
        }
    }

    /// Whether there is another attempt.
    bool go_on() {
        if (attempt_.shown.number == 0) {
            if (world_.stopped()) return give_up(errc::stopped, ended::stopped);
            const model_guards::admission all = guards_.ask(1);
            if (all.refused_by) return give_up(errc::refused, ended::refused, all.refused_by);
            starts_ = later(world_.now(), all.wait);
            if (rules_.past_deadline(starts_)) return give_up(errc::timeout, ended::deadline);
        }
        world_.sleep_until(starts_, slept_);
        return !is_cut_short() ? make_attempt() : give_up_in_time();
    }

    bool is_cut_short() const { return world_.stopped() || rules_.past_deadline(world_.now()); }

    bool give_up_in_time() {
        return world_.stopped() ? give_up(errc::stopped, ended::stopped) : give_up(errc::timeout, ended::deadline);
    }

    /// Ends the range instead of an attempt: as an attempt with an error before the first, else without one.
    bool give_up(errc why, r2::ended how, int refused_by = 0) {
        guards_.cancel();
        ended_ = how;
        if (attempt_.shown.number > 0) return false;
        begin_attempt();
        attempt_.fail(why, r2::sent::no);
        attempt_.shown.ended = how;
        attempt_.shown.refusal = refused_by;
        ask_on();  // it is an attempt; after_attempt and the predicates aren't asked, as it is decided
        return true;
    }

    void begin_attempt() {
        attempt_ = {.shown = {.number = attempt_.shown.number + 1}, .method = c_.method, .key = c_.key};
    }

    /// What before_attempt does is still before the attempt: a stop that it requests, or a deadline that passes in it,
    /// ends the range.
    bool make_attempt() {
        const model_attempt one_before = attempt_;
        if (!ask_before()) {
            if (is_cut_short()) {
                attempt_ = one_before;
                return give_up_in_time();
            }
            if (c_.before.set && c_.before.now(attempt_.shown.number) == deed::spoils_head)
                attempt_.fail(errc::invalid_request, r2::sent::no);  // as other outcomes: recorded, not cancelled
            else
                send();
        }
        const time_point ends = world_.now();
        try {
            ask_after();
        } catch (...) {
            guards_.record(attempt_.shown, ends);  // it was sent all the same
            throw;
        }
        if (const auto thrown = guards_.record(attempt_.shown, ends)) throw *thrown;
        decide();
        ask_on();
        return true;
    }

    /// Whether before_attempt answers.
    bool ask_before() {
        begin_attempt();
        if (!c_.before.set) return false;
        out_.push_back(world_.now(seen::before, {.number = attempt_.shown.number}));
        const deed d = act(c_.before, thrower::before);
        if (d == deed::to_put) attempt_.method = 2;
        if (d == deed::adds_key) attempt_.key = true;
        if (d == deed::answers) attempt_.shown.outcome = c_.before.status;
        return d == deed::answers;
    }

    void send() {
        const time_point began = world_.now();
        receive();
        attempt_.shown.elapsed = world_.now() - began;
    }

    void receive() {
        time_point limit = rules_.deadline();
        if (c_.timeout > 0ns) limit = std::min(limit, later(world_.now(), c_.timeout));
        const step& s = world_.next_step();
        sent_.push_back({.seen = seen::sent, .method = attempt_.method, .key = attempt_.key});
        if (s.throws) throw oops{c_.seed, thrower::script};
        attempt_.shown.sends = s.status || s.sent == r2::sent::maybe;
        const auto what = world_.run(later(world_.now(), s.after), limit, c_.grace);
        const r2::sent maybe = attempt_.shown.sends ? r2::sent::maybe : r2::sent::no;
        attempt_.cut = what == model_world::transfer::stopped;
        if (attempt_.cut) return attempt_.fail(errc::stopped, maybe);
        if (what == model_world::transfer::timed_out) return attempt_.fail(errc::timeout, maybe);
        if (!s.status) return attempt_.fail(s.kind, s.sent);
        if (s.body && c_.max_body && secret.size() > c_.max_body)
            return attempt_.fail(errc::too_large, r2::sent::maybe);
        attempt_.shown.outcome = s.status;
        attempt_.from = &s;
    }

    void ask_after() {
        if (!c_.after.set) return;
        show(seen::after);
        const deed d = act(c_.after, thrower::after);
        mark& m = attempt_.shown;
        if (d == deed::to_status && m.outcome > 0) m.outcome = c_.after.status;
        if (d == deed::to_error) attempt_.fail(errc::timeout, r2::sent::maybe);
        if (d != deed::to_response) return;
        m.outcome = c_.after.status;
        m.sent = r2::sent::no;
        attempt_.from = nullptr;
    }

    void decide() {
        rules_.decide(attempt_);
        if (attempt_.shown.ended == ended::not_yet)
            starts_ = later(world_.now(), attempt_.shown.wait);
        else
            guards_.cancel();  // of the attempt that doesn't come
    }

    void ask_on() {
        ended_ = attempt_.shown.ended;
        if (!c_.on.set) return;
        show(seen::on);
        act(c_.on, thrower::on);
    }

    /// What any callable may do; and what this one does.
    deed act(const habit& h, thrower who) {
        const deed d = h.now(attempt_.shown.number);
        if (d == deed::advances) world_.advance(h.d);
        if (d == deed::stops) world_.request_stop();
        if (d == deed::throws) throw oops{c_.seed, who};
        return d;
    }

    void show(seen what) {
        mark m = world_.now(what, attempt_.shown);
        m.method = attempt_.method;
        out_.push_back(m);
    }

    const loop_case& c_;
    trace& out_;
    model_world world_;
    model_guards guards_;
    model_rules rules_;
    trace slept_, sent_;
    model_attempt attempt_;
    time_point starts_ = {};
    r2::ended ended_ = ended::not_yet;
    bool over_ = false;
    bool pulled_ = false;
};

}  // namespace r2::property
