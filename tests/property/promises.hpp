#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "property/mark.hpp"

namespace r2::property {

/// The promises of part 1 of the design, each looked for in what was seen of one loop, without the model.
class promises {
public:
    promises(const loop_case& c, const trace& seen) : c_(c), trace_(seen) {
        // Where nobody else takes time, all of it is the loop's own.
        only_the_loop_takes_time_ =
            !takes_time(c.before) && !takes_time(c.after) && !takes_time(c.on) && c.consumer.advances <= 0ns;
    }

    /// The sentence that doesn't hold; null where all do.
    const char* broken() const {
        if (!nothing_is_sent_unasked()) return "nothing is sent that the loop doesn't ask for";
        if (!every_attempt_is_seen()) return "every attempt is seen, and at least one";
        if (!there_is_one_reason()) return "every end has one reason, and nothing follows it";
        if (!no_sleep_is_useless()) return "no sleep is useless";
        if (!no_wait_is_cut_short()) return "no wait is shorter than it was said to be, or than the server asked for";
        if (!limits_hold()) return "max_attempts, timeout and deadline hold";
        if (!a_stop_is_prompt()) return "a stop ends the range at once";
        if (!only_the_users_own_is_thrown()) return "nothing is thrown but the user's own";
        for (int i = 0; i < c_.guards; ++i)
            if (!admissions_are_answered(i)) return "each admission is answered once";
        if (!nothing_unsafe_is_repeated()) return "what isn't safe to repeat isn't";
        if (!only_what_may_be_is_hedged())
            return "only what may be hedged is, and by no more copies than were asked for";
        if (!copies_go_out_in_time()) return "a copy goes out in its time, or after a failure, and never after the end";
        if (!copies_wait_for_the_server()) return "no copy goes out before a Retry-After is over";
        if (!each_copy_has_one_fate()) return "each copy has one fate, and the attempt is what they make of it";
        return nullptr;
    }

private:
    static bool takes_time(const habit& h) { return h.set && h.deed == deed::advances; }
    static bool shows_attempt(const mark& m) { return m.seen == seen::yielded || m.seen == seen::finished; }

    static bool ends_loop(const mark& m) {
        return m.seen == seen::at_end || m.seen == seen::threw || m.seen == seen::stuck;
    }

    const mark& last() const { return trace_.back(); }

    /// Calls f with each attempt that was shown, and the one shown before it, if any; false once f is.
    template <class F> bool all_pairs(F f) const {
        const mark* before = nullptr;
        for (const mark& m : trace_) {
            if (!shows_attempt(m)) continue;
            if (before && before->number != m.number && !f(*before, m)) return false;
            before = &m;
        }
        return true;
    }
    template <class F> bool all(seen kind, F f) const {
        return std::all_of(trace_.begin(), trace_.end(), [&](const mark& m) { return m.seen != kind || f(m); });
    }
    template <class F> bool all_attempts(F f) const {
        return std::all_of(trace_.begin(), trace_.end(), [&](const mark& m) { return !shows_attempt(m) || f(m); });
    }

    bool answers_itself() const { return c_.before.set && c_.before.at > 0 && c_.before.deed == deed::answers; }
    bool spoils_one() const { return c_.before.set && c_.before.at > 0 && c_.before.deed == deed::spoils_head; }

    /// Returns the marks of this attempt's copies, which come before its own.
    std::span<const mark> copies_of(const mark& shown) const {
        const mark* first = &shown;
        while (first != trace_.data() && first[-1].seen == seen::copy) --first;
        return {first, &shown};
    }
    template <class F> bool all_copies(F f) const {
        return all_attempts([&](const mark& m) {
            const auto copies = copies_of(m);
            return std::all_of(copies.begin(), copies.end(), [&](const mark& c) { return f(m, copies, c); });
        });
    }

    int most_copies() const { return 1 + std::clamp(c_.hedge_copies, 0, 5); }
    int requests_of(const mark& m) const {
        const bool unsent = (answers_itself() || spoils_one()) && c_.before.at == m.number;
        return unsent ? 0 : std::max(1, static_cast<int>(copies_of(m).size()));
    }

    /// As many requests as attempts and copies, but for the one that wasn't to be sent; and none once it was left.
    bool nothing_is_sent_unasked() const {
        const mark none = {};
        const mark* before = &none;
        const bool exact = all_attempts([&](const mark& m) {
            const mark& one_before = *std::exchange(before, &m);
            const bool never_made = m.number == 1 && m.requests == 0 && m.sends == 0 && m.outcome < 0;
            if (m.number == one_before.number) return m.requests == one_before.requests;
            if (m.number == one_before.number + 1)
                return m.requests == one_before.requests + requests_of(m) || never_made;
            const int unsent = (answers_itself() || spoils_one()) && c_.before.at <= m.number;
            return m.requests >= m.number - unsent && m.requests <= m.number * most_copies();
        });
        const auto leaves = std::find_if(trace_.begin(), trace_.end(),
                                         [](const mark& m) { return m.seen == seen::left || ends_loop(m); });
        const bool unused =
            c_.consumer.at == 0 && c_.consumer.kind == consumer::runs && c_.consumer.leaving == leaving::destroys;
        return exact && leaves->requests == last().requests && (!unused || last().requests == 0) &&
               (c_.consumer.kind != consumer::takes || last().requests <= c_.consumer.take * most_copies());
    }

    bool every_attempt_is_seen() const {
        const bool in_order = all_pairs([this](const mark& a, const mark& b) {
            return b.number == a.number + 1 || c_.consumer.skips || b.seen == seen::finished;
        });
        const bool ends_empty = trace_.front().seen == seen::at_end;
        return in_order && (!ends_empty || c_.consumer.skips == 1);
    }

    bool there_is_one_reason() const {
        ended range = ended::not_yet;
        for (const mark& m : trace_) {
            if (m.seen == seen::not_at_end) return false;
            if (!ends_loop(m) && m.seen != seen::finished) continue;
            const ended why = m.seen == seen::finished ? m.ended : m.range_ended;
            if (why != ended::not_yet) range = why;
            if (m.seen == seen::at_end && range == ended::not_yet) return false;
        }
        const bool none_after = all_pairs([](const mark& a, const mark&) { return a.ended == ended::not_yet; });
        const bool same = all(seen::yielded, [&](const mark& m) {
            if (c_.consumer.skips) return true;  // the last may be one that wasn't looked at
            if (m.ended != ended::not_yet) return range == m.ended || range == ended::not_yet;
            return range == ended::not_yet || range == ended::stopped || range == ended::deadline ||
                   range == ended::threw || last_number() > m.number;
        });
        return none_after && same;
    }

    int last_number() const {
        int number = 0;
        all_attempts([&](const mark& m) { return number = std::max(number, m.number), true; });
        return number;
    }

    duration first_pull() const { return c_.consumer.at == 0 ? std::max(c_.consumer.advances, 0ns) : 0ns; }

    duration deadline() const {
        return c_.deadline > 0ns && c_.deadline < 1h ? first_pull() + c_.deadline : duration::max();
    }

    /// None of 0, none after the last attempt, and none that ends past the deadline.
    bool no_sleep_is_useless() const {
        std::size_t sleeps = 0;
        duration slept = {};
        const bool none_empty = all(seen::slept, [&](const mark& m) {
            ++sleeps;
            slept += m.wait;
            return m.wait > 0ns;
        });
        const bool by_guard = c_.guards > 0;  // before the first
        if (!none_empty || (c_.max_attempts > 0 && sleeps > static_cast<std::size_t>(c_.max_attempts - !by_guard)))
            return false;
        if (last().now > deadline() && only_the_loop_takes_time_ && slept > 0ns) return false;
        return all_attempts([this](const mark& m) {
            return (m.wait == 0ns || m.ended == ended::not_yet) &&
                   (m.wait == 0ns || m.wait < deadline() - m.now || deadline() == duration::max() ||
                    !only_the_loop_takes_time_);
        });
    }

    bool no_wait_is_cut_short() const {
        const bool waited = all_pairs([this](const mark& a, const mark& b) {
            const bool asked_again = b.number != a.number + 1 || !only_the_loop_takes_time_;
            return asked_again || b.now - b.elapsed >= r2::detail::sum(a.now, a.wait);
        });
        return waited && all_attempts([this](const mark& m) {
                   const duration asked = asked_after(m);
                   return m.ended != ended::not_yet || m.seen == seen::finished || m.wait >= asked;
               });
    }

    /// Returns the wait that the server asked for, limited by the policy; 0 if the outcome isn't the server's.
    duration asked_after(const mark& m) const {
        const bool own = !answers_itself() && !spoils_one() && m.outcome > 0 && m.requests > 0;
        return own && copies_of(m).empty() ? asked_by_answer(m.requests) : 0ns;
    }

    /// The same of the n-th request, from 1.
    duration asked_by_answer(int n) const {
        if (c_.after.set || !c_.retry_after.honour) return {};
        const step& s = c_.script[static_cast<std::size_t>(std::min(n, c_.steps) - 1)];
        if (s.asks != asks::seconds && s.asks != asks::date_by_its_own_clock) return {};
        const bool clamped = c_.retry_after.over == over_max::clamp;
        const duration most = c_.retry_after.max > 0ns ? c_.retry_after.max : 6h;
        return clamped ? std::min(s.wait, most) : s.wait;
    }

    bool limits_hold() const {
        return all_attempts([this](const mark& m) {
            const bool started_late = only_the_loop_takes_time_ && deadline() < duration::max() && m.requests > 0 &&
                                      m.now - m.elapsed >= deadline();
            return (c_.max_attempts < 1 || m.number <= c_.max_attempts) &&
                   (c_.timeout <= 0ns || m.elapsed <= c_.timeout || takes_time(c_.after)) && m.sends <= most_copies() &&
                   !started_late && (m.now <= deadline() || !only_the_loop_takes_time_);
        });
    }

    /// Where nobody else takes time, none passes after a stop but its grace, and nothing more is sent.
    bool a_stop_is_prompt() const {
        if (!c_.stop_at || !only_the_loop_takes_time_ || last().now < *c_.stop_at) return true;
        const bool at_once = last().now <= r2::detail::sum(*c_.stop_at, std::max(c_.grace, 0ns));
        return at_once && all_attempts([this](const mark& m) {
                   return m.sends == 0 || (m.now - m.elapsed <= *c_.stop_at && last_start(m) <= *c_.stop_at);
               });
    }

    /// Of the last copy, if there are any.
    duration last_start(const mark& m) const {
        const auto copies = copies_of(m);
        return copies.empty() ? 0ns : m.now - m.elapsed + copies.back().wait;
    }

    bool only_the_users_own_is_thrown() const {
        return all(seen::threw, [this](const mark& m) { return m.thrown.seed == c_.seed && throws(m.thrown); }) &&
               all(seen::stuck, [this](const mark&) { return may_wait_for_ever(); });
    }

    /// Whether who threw this does so at all.
    bool throws(const oops& thrown) const {
        const auto habitually = [](const habit& h) { return h.set && h.at > 0 && h.deed == deed::throws; };
        const guard_plan& guard = c_.guard_plans[static_cast<std::size_t>(thrown.guard)];
        switch (thrown.who) {
            case thrower::nobody:
                break;
            case thrower::before:
                return habitually(c_.before);
            case thrower::after:
                return habitually(c_.after);
            case thrower::on:
                return habitually(c_.on);
            case thrower::terminate_if:
                return c_.terminate_if.throws_at > 0;
            case thrower::retry_if:
                return c_.retry_if.throws_at > 0;
            case thrower::backoff:
                return c_.backoff.throws_at >= 0 || (c_.throttle_backoff && c_.throttle_backoff->throws_at >= 0);
            case thrower::script:
                return std::any_of(c_.script.begin(), c_.script.end(), [](const step& s) { return s.throws; });
            case thrower::admit:
                return std::count(guard.answers.begin(), guard.answers.end(), answer::throws) > 0;
            case thrower::record:
                return guard.record_throws_at > 0;
            case thrower::body:
                return c_.consumer.leaving == leaving::throws;
        }
        return false;
    }

    /// An endless wait is one that was seen; or one before an attempt that nobody looks at, or before the first.
    bool may_wait_for_ever() const {
        return std::any_of(trace_.begin(), trace_.end(), [](const mark& m) { return m.wait > 24h; }) || c_.guards > 0 ||
               c_.consumer.skips || c_.consumer.kind == consumer::finishes || c_.consumer.leaving == leaving::finishes;
    }

    /// Each admission of this guard by one record or cancel, and nothing else by any.
    bool admissions_are_answered(int guard) const {
        const guard_plan& p = c_.guard_plans[static_cast<std::size_t>(guard)];
        int open = 0;
        for (const mark& m : trace_) {
            const bool asks = m.seen == seen::admitted;
            if ((!asks && m.seen != seen::recorded && m.seen != seen::cancelled) || m.guard != guard) continue;
            const answer a = p.answers[static_cast<std::size_t>(std::max(m.number, 1) - 1) % p.answers.size()];
            open += !asks ? -1 : a == answer::go || a == answer::wait;
            if (open < 0 || open > most_copies() || p.null) return false;
        }
        return open == 0;
    }

    bool nothing_unsafe_is_repeated() const {
        const auto method = methods[static_cast<std::size_t>(c_.method)];
        const bool unsafe = method == "POST" || method == "PATCH" || method == "PURGE" || method == "get";
        if (c_.replay == replay::always || c_.key || c_.before.set || !unsafe) return true;
        return all_attempts(
            [](const mark& m) { return m.outcome >= 0 || m.sent == r2::sent::no || m.ended != ended::not_yet; });
    }

    bool only_what_may_be_is_hedged() const {
        const auto method = methods[static_cast<std::size_t>(c_.method)];
        const bool unsafe = method == "POST" || method == "PATCH" || method == "PURGE" || method == "get";
        const bool hedged = c_.hedge_copies > 0 && (c_.hedge_unsafe || !unsafe);
        return all_attempts([&](const mark& m) {
            const int copies = static_cast<int>(copies_of(m).size());
            if (copies > most_copies() || (copies > 0 && c_.hedge_copies < 1)) return false;
            return c_.before.set || (copies > 0) == (hedged && m.requests > 0);  // before_attempt may change the method
        });
    }

    static duration end_of(const mark& copy) { return copy.wait + copy.elapsed; }

    bool copies_go_out_in_time() const {
        return all_copies([this](const mark& m, std::span<const mark> copies, const mark& c) {
            if (&c == copies.data()) return c.wait == 0ns && end_of(c) <= m.elapsed;
            const mark& before = *(&c - 1);
            const bool failed = std::any_of(copies.begin(), copies.end(), [&](const mark& other) {
                return other.became == hedged_copy::fate::failed && end_of(other) >= before.wait &&
                       end_of(other) <= c.wait;
            });
            const duration due = r2::detail::sum(before.wait, std::max(c_.hedge_after, 0ns));
            return c.wait >= before.wait && (failed || c.wait >= due) && end_of(c) <= m.elapsed;
        });
    }

    bool copies_wait_for_the_server() const {
        return all_copies([this](const mark& m, std::span<const mark> copies, const mark& c) {
            if (c.became != hedged_copy::fate::failed || c.outcome < 0) return true;
            const int n = m.requests - static_cast<int>(copies.size()) + static_cast<int>(&c - copies.data()) + 1;
            const duration until = r2::detail::sum(end_of(c), asked_by_answer(n));
            const auto jumps = [&](const mark& other) { return other.wait > end_of(c) && other.wait < until; };
            if (std::any_of(copies.begin(), copies.end(), jumps)) return false;
            // Nor does the attempt after them, if it is that failure which they end with.
            const bool won = std::any_of(copies.begin(), copies.end(),
                                         [](const mark& o) { return o.became == hedged_copy::fate::won; });
            if (won || m.ended != ended::not_yet || m.seen == seen::finished || !only_the_loop_takes_time_) return true;
            return r2::detail::sum(m.elapsed, m.wait) >= until;
        });
    }

    bool each_copy_has_one_fate() const {
        return all_attempts([this](const mark& m) {
            const auto copies = copies_of(m);
            if (copies.empty()) return true;
            int won = 0, sends = 0;
            bool is_one_of_them = c_.after.set, ends_with_them = true;
            for (const mark& c : copies) {
                const bool lost = c.became == hedged_copy::fate::lost;
                won += c.became == hedged_copy::fate::won;
                sends += c.sends;
                is_one_of_them |= c.outcome == m.outcome && (won || !lost || cut_short(m));
                // Who won or lost did so at the end.
                ends_with_them &= c.became == hedged_copy::fate::failed || end_of(c) == m.elapsed;
                if (lost && !c_.after.set && !cut_short(c)) return false;
            }
            return won <= 1 && sends == m.sends && is_one_of_them && ends_with_them &&
                   (m.outcome >= 0 || sends == 0 || m.sent == r2::sent::maybe);
        });
    }

    static bool cut_short(const mark& m) {
        return m.outcome == -static_cast<int>(errc::timeout) || m.outcome == -static_cast<int>(errc::stopped);
    }

    const loop_case& c_;
    const trace& trace_;
    bool only_the_loop_takes_time_;
};

}  // namespace r2::property
