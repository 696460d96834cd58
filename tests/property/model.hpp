#pragma once

#include <algorithm>
#include <utility>

#include "property/model_callables.hpp"
#include "property/model_guards.hpp"
#include "property/model_race.hpp"
#include "property/model_rules.hpp"
#include "property/model_world.hpp"

namespace r2::property {

/// The rules of the loop as part 3 of the design has them, and nothing else: where it leaves something open, a comment
/// says what was chosen. A range as `real` is, of which begin() again changes nothing, ++ only marks, and what looks
/// pulls.
class model {
public:
    model(const loop_case& c, trace& out)
        : c_(c),
          out_(out),
          world_(c),
          guards_(c, out, world_),
          callables_(c, out, world_),
          rules_(c, world_, guards_, callables_) {}
    model(model&&) = delete;

    void begin() {}
    void move_range() {}
    bool at_end() {
        if (!std::exchange(pulled_, true)) pull();
        return over_;
    }
    mark look() {
        at_end();
        return show(seen::yielded);
    }
    void next() {
        at_end();
        pulled_ = false;
    }
    mark finish() {
        while (!at_end()) next();
        mark m = show(seen::finished);
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
    void destroy() { guards_.cancel(next_); }

    void advance(duration d) { world_.advance(d); }
    void request_stop() { world_.request_stop(); }

    mark now(seen what) const { return world_.now(what); }
    void append_record(trace& out) const {
        out.insert(out.end(), slept_.begin(), slept_.end());
        out.insert(out.end(), sent_.begin(), sent_.end());
    }

private:
    mark show(seen how) {
        out_.insert(out_.end(), attempt_.copies.begin(), attempt_.copies.end());
        return world_.now(how, attempt_.shown);
    }

    /// The next attempt, or the end.
    void pull() {
        if (over_) return;
        try {
            if (attempt_.shown.number == 0) rules_.begin();
            over_ = ended_ != ended::not_yet || !go_on();
        } catch (...) {
            guards_.cancel(next_);
            ended_ = ended::threw;
            over_ = true;
            throw;
        }
    }

    /// Whether there is another attempt.
    bool go_on() {
        if (attempt_.shown.number == 0) {
            if (world_.stopped()) return give_up(errc::stopped, ended::stopped);
            guards_.ask(1, next_);
            if (next_.refused_by) return give_up(errc::refused, ended::refused, next_.refused_by);
            starts_ = later(world_.now(), next_.wait);
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
        guards_.cancel(next_);
        ended_ = how;
        if (attempt_.shown.number > 0) return false;
        begin_attempt();
        attempt_.fail(why, r2::sent::no);
        attempt_.shown.ended = how;
        attempt_.shown.refusal = refused_by;
        callables_.on(attempt_);  // it is an attempt; after_attempt and the predicates aren't asked, as it is decided
        return true;
    }

    void begin_attempt() {
        attempt_ = {.shown = {.number = attempt_.shown.number + 1}, .method = c_.method, .key = c_.key};
    }

    /// before_attempt runs before the attempt: a stop that it requests, or a deadline that passes in it, ends the
    /// range.
    bool make_attempt() {
        const model_attempt one_before = attempt_;
        begin_attempt();
        const bool answered = callables_.before(attempt_);
        if (!answered && is_cut_short()) {
            attempt_ = one_before;
            return give_up_in_time();
        }
        model_race race(c_, world_, guards_, rules_, callables_, sent_);
        const bool spoilt = c_.before.set && c_.before.now(attempt_.shown.number) == deed::spoils_head;
        if (spoilt) attempt_.fail(errc::invalid_request, r2::sent::no);  // as other outcomes: recorded, not cancelled
        if (answered || spoilt)
            race.settle(attempt_, next_);
        else
            race.run(attempt_, next_);
        rules_.decide(attempt_, next_);
        ended_ = attempt_.shown.ended;
        if (ended_ == ended::not_yet)
            starts_ = later(world_.now(), attempt_.shown.wait);
        else
            guards_.cancel(next_);  // of the attempt that doesn't come
        callables_.on(attempt_);
        return true;
    }

    const loop_case& c_;
    trace& out_;
    model_world world_;
    model_guards guards_;
    model_callables callables_;
    model_rules rules_;
    model_guards::admission next_;  // of the attempt to come
    trace slept_, sent_;
    model_attempt attempt_;
    time_point starts_ = {};
    r2::ended ended_ = ended::not_yet;
    bool over_ = false;
    bool pulled_ = false;
};

}  // namespace r2::property
