#pragma once

#include <algorithm>

#include <r2/words/chance.hpp>

#include "property/model_guards.hpp"
#include "property/model_world.hpp"
#include "property/questions.hpp"

namespace r2::property {

/// The rules of the loop as part 3 of the design has them, and nothing else: where it leaves something open, a comment
/// says what was chosen.
class model {
public:
    model(const loop_case& c, course& out) : world(c), c_(c), out_(out), chance_(c.seed), guards_(c, out, world) {}

    /// The next attempt, or the end.
    void pull() {
        if (over_) return;
        try {
            if (c_.deadline > 0ns && attempt_.number == 0) deadline_ = later(world.now(), c_.deadline);
            over_ = ended_ != ended::not_yet || !go_on();
        } catch (...) {
            guards_.cancel();
            ended_ = ended::threw;
            over_ = true;
            throw;
        }
    }

    /// The range is destroyed.
    void destroy() { guards_.cancel(); }

    bool over() const noexcept { return over_; }
    r2::ended how_it_ended() const noexcept { return ended_; }
    const mark& last() const noexcept { return attempt_; }

    model_world world;
    course slept, sent;

private:
    /// Whether there is another attempt.
    bool go_on() {
        if (attempt_.number == 0) {
            if (world.stopped()) return give_up(errc::stopped, ended::stopped);
            starts_ = world.now();
            const model_guards::admission all = guards_.ask(1);
            if (all.refused_by) return refusal_ = all.refused_by, give_up(errc::refused, ended::refused);
            starts_ = later(world.now(), all.wait);
            if (past_deadline(starts_)) return give_up(errc::timeout, ended::deadline);
        }
        world.sleep_until(starts_, slept);
        if (world.stopped()) return give_up(errc::stopped, ended::stopped);
        if (past_deadline(world.now())) return give_up(errc::timeout, ended::deadline);
        return make_attempt();
    }

    /// Ends the range instead of an attempt: as an attempt with an error before the first, else without one.
    bool give_up(errc why, ended how) {
        guards_.cancel();
        ended_ = how;
        if (attempt_.number > 0) return false;
        begin_attempt();
        fail(why, r2::sent::no);
        attempt_.ended = how;
        attempt_.refusal = refusal_;
        ask_on();  // it is an attempt; after_attempt and the predicates aren't asked, as it is decided
        return true;
    }

    /// One so far off that no clock shows it is none. (The design leaves it open.)
    bool past_deadline(time_point t) const noexcept { return deadline_ != never && t >= deadline_; }

    void begin_attempt() {
        attempt_ = {.seen = seen::yielded, .number = attempt_.number + 1};
        from_ = nullptr;
        method_ = c_.method;
        key_ = c_.key;
        cut_ = false;
    }

    void fail(errc kind, r2::sent s) {
        attempt_.outcome = -static_cast<int>(kind);
        attempt_.sent = s;
        from_ = nullptr;
    }

    /// What before_attempt does is still before the attempt: a stop that it requests, or a deadline that passes in it,
    /// ends the range.
    bool make_attempt() {
        const mark one_before = attempt_;
        if (!ask_before()) {
            const bool stopped = world.stopped();
            if (stopped || past_deadline(world.now())) {
                attempt_ = one_before;
                return stopped ? give_up(errc::stopped, ended::stopped) : give_up(errc::timeout, ended::deadline);
            }
            if (c_.before.set && c_.before.now(attempt_.number) == deed::spoils_head)
                fail(errc::invalid_request, r2::sent::no);  // an outcome like others: it is recorded, not cancelled
            else
                send();
        }
        ends_ = world.now();
        try {
            ask_after();
        } catch (...) {
            guards_.record(attempt_, ends_);  // it was sent all the same
            throw;
        }
        if (const int thrower = guards_.record(attempt_, ends_)) throw oops{c_.seed, 30 + thrower};
        decide();
        ask_on();
        return true;
    }

    /// Whether before_attempt answers.
    bool ask_before() {
        begin_attempt();
        if (!c_.before.set) return false;
        out_.push_back(
            {.seen = seen::before, .number = attempt_.number, .requests = world.requests(), .now = world.elapsed()});
        act(c_.before, 1);
        const deed d = c_.before.now(attempt_.number);
        if (d == deed::to_put) method_ = 2;
        if (d == deed::adds_key) key_ = true;
        if (d == deed::answers) attempt_.outcome = c_.before.status;
        return d == deed::answers;
    }

    void send() {
        const time_point began = world.now();
        receive();
        attempt_.elapsed = world.now() - began;
    }

    void receive() {
        time_point limit = deadline_;
        if (c_.timeout > 0ns) limit = std::min(limit, later(world.now(), c_.timeout));
        const step& s = world.next_step();
        sent.push_back({.seen = seen::sent, .who = method_, .number = key_});
        if (s.throws) throw oops{c_.seed, 10};
        attempt_.sends = s.status || s.sent == r2::sent::maybe;
        const auto what = world.run(later(world.now(), s.after), limit, c_.grace);
        const r2::sent maybe = attempt_.sends ? r2::sent::maybe : r2::sent::no;
        cut_ = what == model_world::transfer::stopped;
        if (cut_) return fail(errc::stopped, maybe);
        if (what == model_world::transfer::timed_out) return fail(errc::timeout, maybe);
        if (!s.status) return fail(s.kind, s.sent);
        if (s.body && c_.max_body && secret.size() > c_.max_body) return fail(errc::too_large, r2::sent::maybe);
        attempt_.outcome = s.status;
        from_ = &s;
    }

    void ask_after() {
        if (!c_.after.set) return;
        show(seen::after);
        act(c_.after, 2);
        const deed d = c_.after.now(attempt_.number);
        if (d == deed::to_status && attempt_.outcome > 0) attempt_.outcome = c_.after.status;
        if (d == deed::to_error) fail(errc::timeout, r2::sent::maybe);
        if (d != deed::to_response) return;
        attempt_.outcome = c_.after.status;
        attempt_.sent = r2::sent::no;
        from_ = nullptr;
    }

    void ask_on() {
        ended_ = attempt_.ended;
        if (!c_.on.set) return;
        show(seen::on);
        act(c_.on, 3);
    }

    /// What any callable may do.
    void act(const habit& h, int where) {
        const deed d = h.set ? h.now(attempt_.number) : deed::nothing;
        if (d == deed::advances) world.advance(h.d);
        if (d == deed::stops) world.request_stop();
        if (d == deed::throws) throw oops{c_.seed, where};
    }

    void decide() {
        u_ = chance_.unit();  // "its random number is handed in": one for each decision, used or not
        attempt_.ended = first_match();
        if (attempt_.ended == ended::not_yet) {
            starts_ = later(world.now(), attempt_.wait);
            return;
        }
        guards_.cancel();  // of the attempt that doesn't come
        attempt_.wait = {};
        attempt_.wait_from = wait_source::none;
    }

    r2::ended first_match() {
        const bool failed = attempt_.outcome < 0 || attempt_.outcome >= 400;
        if (cut_) return ended::stopped;
        const bool polls = c_.terminate_if.question != question::unset;
        if (polls && ask(c_.terminate_if, seen::terminate_if, 4)) return ended::condition_met;
        if (!failed && !polls) return ended::succeeded;
        if (failed && !worth_another()) return ended::not_retryable;
        if (attempt_.sent == r2::sent::maybe && c_.replay == replay::when_safe && !safe_to_repeat(method_, key_))
            return ended::unsafe_to_replay;
        if (attempt_.number == c_.max_attempts) return ended::exhausted;
        if (world.stopped()) return ended::stopped;
        if (!choose_wait()) return ended::retry_after_too_long;
        // Part 2 has the guards asked "after every other rule": so after rule 9 for the loop's own wait, too.
        if (past_deadline(later(world.now(), attempt_.wait))) return ended::deadline;
        const model_guards::admission all = guards_.ask(attempt_.number + 1);
        if (all.refused_by) return attempt_.refusal = all.refused_by, ended::refused;
        if (all.wait > attempt_.wait) {
            attempt_.wait = all.wait;
            attempt_.wait_from = wait_source::guard;
        }
        if (past_deadline(later(world.now(), attempt_.wait))) return ended::deadline;
        return ended::not_yet;
    }

    bool ask(const asked& a, seen which, int where) {
        if (a.form == form_of::response && attempt_.outcome < 0) return a.negated;
        out_.push_back({.seen = which,
                        .number = a.form == form_of::attempt ? attempt_.number : 0,
                        .outcome = attempt_.outcome,
                        .requests = world.requests(),
                        .now = world.elapsed()});
        if (a.form == form_of::attempt && attempt_.number == a.throws_at) throw oops{c_.seed, where};
        return holds(a.question, attempt_.number, attempt_.outcome) != a.negated;
    }

    bool worth_another() {
        if (c_.retry_if.question != question::unset) return ask(c_.retry_if, seen::retry_if, 5);
        return is_transient(attempt_.outcome);
    }

    /// Rule 8 but for the guards: false where the server asks for too long a wait.
    bool choose_wait() {
        const duration asked_for = c_.retry_after.honour && from_ ? asked_by(*from_, world.elapsed()) : 0ns;
        const duration most = c_.retry_after.max > 0ns ? c_.retry_after.max : 6h;
        if (asked_for > most && c_.retry_after.over == over_max::stop) return false;
        if (asked_for > 0ns) {
            attempt_.wait_from = wait_source::retry_after;
            attempt_.wait = c_.retry_after.over == over_max::wait ? asked_for : std::min(asked_for, most);
        } else if (c_.interval > 0ns) {
            attempt_.wait_from = wait_source::interval;
            attempt_.wait = c_.interval;
        } else {
            attempt_.wait_from = wait_source::backoff;
            attempt_.wait = backed_off();
        }
        return true;
    }

    duration backed_off() {
        const bool throttled = c_.throttle_backoff && attempt_.outcome == 429;
        const backoff_plan& p = throttled ? *c_.throttle_backoff : c_.backoff;
        const int retry = attempt_.number - 1;
        duration d;
        if (p.kind == backoff_kind::custom) {
            out_.push_back(
                {.seen = seen::backoff, .number = retry, .requests = world.requests(), .now = world.elapsed()});
            if (retry == p.throws_at) throw oops{c_.seed, 6};
            d = custom_delay(retry);
        } else {
            d = plain_backoff(p).delay(retry);
        }
        return previous_ = jitter_of(c_).apply(d, previous_, u_);
    }

    void show(seen what) {
        mark m = attempt_;
        m.seen = what;
        m.who = method_;
        m.requests = world.requests();
        m.now = world.elapsed();
        out_.push_back(m);
    }

    const loop_case& c_;
    course& out_;
    r2::detail::splitmix64 chance_;
    model_guards guards_;
    time_point deadline_ = never;
    time_point starts_ = {}, ends_ = {};
    mark attempt_ = {.seen = seen::yielded};
    const step* from_ = nullptr;
    int method_ = 0;
    bool key_ = false;
    bool cut_ = false;
    double u_ = 0;
    duration previous_ = {};  // of backoff: what others asked for doesn't make it grow
    int refusal_ = 0;
    bool over_ = false;
    r2::ended ended_ = ended::not_yet;
};

}  // namespace r2::property
