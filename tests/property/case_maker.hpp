#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <r2/words/random.hpp>

#include "property/case.hpp"

namespace r2::property {

/// Makes cases by chance; the same of the same seed. Times are mostly whole seconds, so that they often fall together,
/// and now and then a nanosecond off.
class case_maker {
public:
    explicit case_maker(std::uint64_t seed) : chance_(seed * 0x2545f4914f6cdd1dU) { case_.seed = seed; }

    loop_case make() {
        make_limits();
        make_waits();
        make_callables();
        make_script();
        make_stops();
        make_consumer();
        make_hedging();
        return case_;
    }

private:
    int below(int n) { return static_cast<int>((chance_.next() >> 33) % static_cast<std::uint64_t>(n)); }
    bool one_in(int n) { return below(n) == 0; }

    template <class T> T one_of(std::initializer_list<T> all) {
        return all.begin()[below(static_cast<int>(all.size()))];
    }

    duration off_by_a_hair(duration d) { return one_in(8) ? d + one_of({-1ns, 1ns}) : d; }
    duration some_time(int most) { return off_by_a_hair(1s * (1 + below(most))); }

    /// As options are: zero, negative and endless ones too.
    duration setting(int most) {
        if (one_in(16)) return one_of<duration>({0ns, -1ns, -1s, 1ns, duration::max(), duration::max() - 1ns});
        return some_time(most);
    }

    void make_limits() {
        case_.method = one_in(2) ? below(2) : below(static_cast<int>(methods.size()));
        case_.max_attempts = one_of({0, -1, 1, 2, 3, 4, 5, 6, 8, 9});
        if (one_in(2)) case_.timeout = setting(4);
        if (one_in(4)) case_.interval = setting(4);
        if (one_in(2)) case_.deadline = setting(one_in(2) ? 8 : 40);
        case_.key = one_in(6);
        case_.key_in_request = one_in(2);
        case_.replay = one_of({r2::replay::always, r2::replay::when_safe});
        if (one_in(4)) case_.max_body = one_of({secret.size() - 1, secret.size()});
        if (one_in(3)) case_.grace = setting(4);
    }

    backoff_plan some_backoff() {
        backoff_plan p;
        p.kind = one_of({backoff_kind::exponential, backoff_kind::linear, backoff_kind::constant, backoff_kind::none,
                         backoff_kind::custom});
        p.first = setting(3);
        if (one_in(3)) p.cap = setting(8);
        if (one_in(24)) p.throws_at = below(4);
        return p;
    }

    void make_waits() {
        case_.backoff = some_backoff();
        if (one_in(4)) case_.throttle_backoff = some_backoff();
        case_.jitter = one_of({jitter_kind::none, jitter_kind::none, jitter_kind::full, jitter_kind::equal,
                               jitter_kind::proportional, jitter_kind::additive, jitter_kind::decorrelated});
        case_.jitter_by = setting(3);
        if (one_in(2)) case_.jitter_cap = setting(8);
        case_.retry_after.honour = !one_in(6);
        if (one_in(2)) case_.retry_after.max = setting(4);
        case_.retry_after.over = one_of({over_max::stop, over_max::clamp, over_max::wait});
    }

    asked some_question(std::initializer_list<question> all) {
        asked a;
        a.question = one_of(all);
        a.form = one_of({form_of::attempt, form_of::response, form_of::both});
        if (a.question == question::from_4) a.form = form_of::attempt;  // the others aren't told the number
        a.negated = one_in(8);
        if (one_in(16)) a.throws_at = 1 + below(4);
        return a;
    }

    habit some_habit(std::initializer_list<deed> own) {
        habit h;
        h.set = true;
        h.d = some_time(4);
        h.status = one_of({200, 202, 302, 404, 429, 503});
        if (one_in(2)) h.at = 1 + below(4);
        h.deed = one_in(2) ? one_of(own) : one_of({deed::advances, deed::advances, deed::stops, deed::throws});
        return h;
    }

    guard_plan some_guard() {
        guard_plan p;
        p.null = one_in(16);
        p.looks_back = one_in(3);
        p.wait = setting(5);
        for (property::answer& a : p.answers) {
            if (one_in(3)) a = answer::wait;
            if (one_in(16)) a = answer::refuse;
        }
        if (one_in(16)) p.answers[static_cast<std::size_t>(below(4))] = answer::throws;
        if (one_in(16)) p.record_throws_at = 1 + below(3);
        if (one_in(16)) p.stops_at = 1 + below(3);
        return p;
    }

    void make_callables() {
        using enum question;
        if (one_in(3)) case_.terminate_if = some_question({never, is_200, is_200, is_timeout, from_4, no_response});
        if (one_in(3)) case_.retry_if = some_question({always, always, is_4xx_or_5xx, is_timeout, never, no_response});
        if (one_in(3)) case_.before = some_habit({deed::to_put, deed::adds_key, deed::answers, deed::spoils_head});
        if (one_in(3)) case_.after = some_habit({deed::to_status, deed::to_response, deed::to_error});
        if (one_in(3)) case_.on = some_habit({deed::nothing});
        case_.guards = std::max(0, below(4) - 1);
        for (int i = 0; i < case_.guards; ++i) case_.guard_plans[static_cast<std::size_t>(i)] = some_guard();
    }

    /// Whether something ends an attempt that hangs.
    bool is_limited() const {
        const auto near = [](duration d) { return d > 0s && d < 1h; };
        return near(case_.timeout) || near(case_.deadline);
    }

    step some_step() {
        step s;
        const bool passes = !one_in(10);  // else the loops would be short
        if (one_in(3)) s.after = some_time(4);
        if (one_in(4)) {
            s.status = 0;
            s.kind = static_cast<errc>(1 + below(static_cast<int>(errc::local)));  // `failed` is of retry
            if (passes) s.kind = one_of({errc::resolve, errc::connect, errc::timeout, errc::disconnected});
            s.sent = one_of({r2::sent::no, r2::sent::maybe});
            if (one_in(4) && is_limited()) s.after = duration::max();
            return s;
        }
        s.status = one_of({200, 200, 202, 301, 304, 399, 400, 404, 408, 425, 429, 499, 500});
        if (passes) s.status = one_of({429, 429, 500, 501, 503, 503, 599});
        s.body = one_in(4);
        s.throws = one_in(100);
        if (one_in(2)) return s;
        s.asks = one_of({asks::seconds, asks::seconds, asks::date, asks::date_by_its_own_clock, asks::milliseconds,
                         asks::malformed, asks::past_date});
        s.wait = 1s * (1 + below(s.asks == asks::date ? 20 : 5));
        if (s.asks == asks::milliseconds) s.wait = one_of<duration>({1ms, 1s, 2s, 1500ms});
        if (s.asks == asks::seconds && one_in(8)) s.wait = one_of<duration>({0s, 6h, 6h + 1s, duration::max()});
        return s;
    }

    void make_script() {
        case_.steps = 1 + below(static_cast<int>(case_.script.size()));
        for (int i = 0; i < case_.steps; ++i) case_.script[static_cast<std::size_t>(i)] = some_step();
    }

    void make_stops() {
        case_.may_stop = one_in(3);
        if (case_.may_stop && one_in(2)) case_.stop_at = std::max(off_by_a_hair(1s * below(12)), duration{});
    }

    void make_consumer() {
        consumer_plan& p = case_.consumer;
        p.kind = one_of({consumer::runs, consumer::runs, consumer::runs, consumer::finishes, consumer::takes});
        p.take = below(5);
        p.compares = below(3);
        p.dereferences = 1 + below(2);
        if (one_in(12)) p.skips = 1 + below(2);
        p.at = below(5);
        if (one_in(4)) p.advances = some_time(8);
        p.stops = case_.may_stop && one_in(4);
        p.moves_body = one_in(4);
        if (one_in(3)) p.leaving = one_of({leaving::destroys, leaving::resumes, leaving::finishes, leaving::throws});
        if (case_.max_attempts < 1) case_.max_attempts = one_of({0, 0, -1, 7});
        // Who runs it to its end has to have one.
        const bool finishes = p.kind == consumer::finishes || p.leaving == leaving::finishes;
        if (finishes && case_.max_attempts < 1) case_.max_attempts = 1 + below(8);
    }

    void make_hedging() {
        if (!one_in(3)) return;
        case_.hedge_copies = one_of({-1, 1, 1, 2, 2, 3, 4, 5, 9});
        case_.hedge_after = one_in(3) ? 0s : setting(3);
        case_.hedge_unsafe = one_in(3);
    }

    r2::detail::splitmix64 chance_;
    loop_case case_;
};

}  // namespace r2::property
