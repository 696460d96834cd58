#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <r2/testing.hpp>

#include "property/case_maker.hpp"
#include "property/crowd_transport.hpp"
#include "property/model.hpp"
#include "property/told_case.hpp"

namespace r2::property {

/// Some cases at once, and what all of them share.
struct crowd_case {
    std::uint64_t seed = 0;
    std::vector<loop_case> jobs;
    duration deadline = {}, grace = {};
    std::optional<duration> stop_at;
    int hosts = 1;
    r2::concurrency limits = {.max_in_flight = 0, .max_per_host = 0};
    std::array<duration, 3> body = {};  ///< How long the body of the loop takes, in turn.
    int breaks_at = 0;                  ///< At this turn it is left; 0: never.
    bool resumes = false;

    /// Whether nothing that one of them does can reach another.
    bool apart = false;
};

/// Takes from each what would reach the others. Copies get odd nanoseconds, so that none is complete at the very moment
/// of a limit or of another's turn: which comes first then, the rules leave open.
inline void set_apart(crowd_case& all) {
    bool hedged = false;
    for (loop_case& c : all.jobs) {
        for (habit* h : {&c.before, &c.after, &c.on})
            if (h->deed == deed::advances || h->deed == deed::stops || h->deed == deed::throws) h->at = 0;
        for (asked* a : {&c.terminate_if, &c.retry_if}) a->throws_at = 0;
        for (step& s : c.script) s.throws = false;
        c.backoff.throws_at = -1;
        if (c.throttle_backoff) c.throttle_backoff->throws_at = -1;
        for (guard_plan& p : c.guard_plans) {
            std::replace(p.answers.begin(), p.answers.end(), answer::throws, answer::go);
            p.record_throws_at = p.stops_at = 0;
        }
        if (c.hedge_copies <= 0) continue;
        hedged = true;
        if (c.timeout > 0s && c.timeout < 1h) c.timeout += 501ns;
        if (c.hedge_after < 1h) c.hedge_after = std::max<duration>(c.hedge_after, 0s) + 37ns;
        for (guard_plan& p : c.guard_plans) p.wait += 11ns;
        for (step& s : c.script)
            if (s.asks == asks::date) s.asks = asks::seconds;
    }
    if (hedged && all.deadline > 0s) all.deadline += 250ns;
    if (hedged && all.stop_at) *all.stop_at += 125ns;
}

/// Leaves nothing in it that would wait for ever: among others, that is no end.
inline void set_ends(loop_case& c) {
    const auto soon = [](duration& d) { d = std::min<duration>(d, 1h); };
    soon(c.interval);
    for (backoff_plan* p : {&c.backoff, c.throttle_backoff ? &*c.throttle_backoff : &c.backoff}) {
        soon(p->first);
        soon(p->cap);
    }
    for (guard_plan& p : c.guard_plans) soon(p.wait);
    for (step& s : c.script) {
        soon(s.after);
        if (s.wait > 24h) s.wait = 5s;
    }
}

/// Makes them by chance; the same of the same seed.
inline crowd_case make_crowd(std::uint64_t seed) {
    r2::detail::splitmix64 chance(seed * 0x9e3779b97f4a7c15U + 1);
    const auto below = [&](int n) { return static_cast<int>((chance.next() >> 33) % static_cast<std::uint64_t>(n)); };
    crowd_case all;
    all.seed = seed;
    all.apart = below(2) == 0;
    if (below(3) == 0) all.deadline = 1s * (1 + below(30));
    if (below(3) == 0) all.stop_at = 1s * (1 + below(20));
    if (below(2) == 0) all.grace = 1s * (1 + below(4));
    for (int i = below(7) - 1; i >= 0; --i) {
        loop_case c = case_maker(chance.next()).make();
        c.seed = seed;
        c.max_attempts = 1 + below(5);
        c.jitter = jitter_kind::none;  // chance comes to each in the order of the others' decisions
        set_ends(c);
        all.jobs.push_back(c);
    }
    if (all.apart) set_apart(all);
    for (loop_case& c : all.jobs) {
        c.deadline = all.deadline;
        c.grace = all.grace;
        c.stop_at = all.stop_at;
        c.may_stop = all.stop_at.has_value();
    }
    if (all.apart) return all;
    all.hosts = 1 + below(3);
    all.limits = {.max_in_flight = below(5), .max_per_host = below(4)};
    for (duration& d : all.body)
        if (below(4) == 0) d = 1s * (1 + below(5));
    if (below(4) == 0) all.breaks_at = 1 + below(6);
    all.resumes = below(2) == 0;
    return all;
}

/// One of them, in truth.
class job_case : public told_case {
public:
    job_case(const loop_case& c, trace& out, crowd_world& w, std::size_t i) : told_case(c, out), world_(w), i_(i) {}

protected:
    duration time() const override { return world_.elapsed(); }
    int requests() const override { return static_cast<int>(world_.at(i_).starts.size()); }
    void advance(duration d) override { world_.pass(d); }
    std::stop_token stop_token() const override { return {}; }  // that of all
    void request_stop() override { world_.stop().request_stop(); }

private:
    crowd_world& world_;
    std::size_t i_;
};

/// Traces the marks that the rules demand of one request apart from the others.
inline void expect(const loop_case& c, trace& out) {
    model m(c, out);
    ended last = ended::not_yet;
    int number = 0;
    for (; !m.at_end(); m.next()) {
        out.push_back(m.look());
        last = out.back().ended;
        number = out.back().number;
    }
    if (last != ended::not_yet) return;
    // A stop or a deadline in the wait: of many, each has a last attempt, which then was never made.
    mark never_made = m.now(seen::yielded);
    never_made.number = number + 1;
    never_made.ended = m.ended();
    never_made.outcome = -static_cast<int>(m.ended() == ended::stopped ? errc::stopped : errc::timeout);
    if (c.on.set) {
        mark on = never_made;
        on.seen = seen::on;
        on.method = c.method;
        out.push_back(on);
    }
    out.push_back(never_made);
}

/// Runs such a crowd through `all`.
class crowd {
public:
    /// Returns the defect of this case; empty in almost all cases.
    std::string run(const crowd_case& c) {
        case_ = &c;
        begin();
        {
            auto range = client_.all(jobs_to_read(), options_of_all(), c.limits);
            consume(range);
            look_at_end(range);
        }
        if (sent() != sent_) break_("nothing is sent but while it is pulled");
        if (c.apart) compare();
        for (std::size_t i = 0; i < courses_.size(); ++i) look_back_at(i);
        return broken_;
    }

    const trace& seen_of(std::size_t i) const { return courses_[i].seen; }
    const trace& expected_of(std::size_t i) const { return courses_[i].expected; }
    std::size_t attempts() const noexcept { return attempts_; }

private:
    struct execution {
        trace seen, expected;
        int number = 0, lasts = 0;
        std::size_t requests = 0;
        time_point ready = {};  ///< When its next attempt may start.
    };

    void begin() {
        const std::size_t n = case_->jobs.size();
        std::vector<crowd_world::job> jobs;
        for (const loop_case& each : case_->jobs) jobs.push_back({&each});
        world_.begin(std::move(jobs), case_->stop_at);
        courses_.assign(n, {});
        cases_.clear();
        for (std::size_t i = 0; i < n; ++i) cases_.emplace_back(case_->jobs[i], courses_[i].seen, world_, i);
        broken_.clear();
        slow_ = false;
        threw_ = left_ = false;
        attempts_ = sent_ = 0;
    }

    std::vector<std::pair<request, options>> jobs_to_read() {
        std::vector<std::pair<request, options>> all;
        for (std::size_t i = 0; i < cases_.size(); ++i) {
            const std::string host = "h" + std::to_string(i % static_cast<std::size_t>(case_->hosts));
            options own = cases_[i].make_options();
            own.deadline = own.stop_grace = 1ns;  // those of all count
            all.emplace_back(cases_[i].request_to("http://u:pA55@" + host + ".test/" + std::to_string(i)),
                             std::move(own));
        }
        return all;
    }

    options options_of_all() {
        return {.deadline = case_->deadline, .stop = world_.stop().get_token(), .stop_grace = case_->grace};
    }

    void consume(all_attempts& range) {
        std::size_t turn = 0;
        try {
            for (int again = 0; again < 2; ++again) {
                bool at_current = again == 1;  // where it was left
                for (job_attempt& a : range) {
                    if (!std::exchange(at_current, false)) look(range, a);
                    if (static_cast<int>(++turn) == case_->breaks_at) break;
                    const duration d = case_->body[turn % case_->body.size()];
                    if (d > 0s) slow_ = true;
                    world_.pass(d);
                    if (sent() != sent_) break_("nothing is sent while the body of the loop runs");
                }
                left_ = case_->breaks_at && static_cast<int>(turn) == case_->breaks_at;
                if (!left_ || !case_->resumes) break;
            }
        } catch (const oops& thrown) {
            threw_ = true;
            sent_ = sent();
            if (thrown.seed != case_->seed) break_("nothing is thrown but the user's own");
        } catch (const std::logic_error&) {  // the transport's word
            break_("no wait goes on for ever");
        }
        if (!threw_ && !left_ && range.begin() != range.end()) break_("it is at its end");
    }

    void look(all_attempts& range, job_attempt& a) {
        ++attempts_;
        execution& of = courses_[a.job()];
        of.seen.push_back(cases_[a.job()].show(seen::yielded, a));
        if (of.lasts > 0) break_("nothing follows the last attempt of a request");
        if (a.number() != ++of.number) break_("every attempt is seen");
        if (a.number() > case_->jobs[a.job()].max_attempts) break_("max_attempts holds");
        of.lasts += a.is_last();
        look_at_times(a, of);
        of.requests = world_.at(a.job()).starts.size();
        if (!callables_take_time()) of.ready = later(world_.now(), a.wait());  // else that was from the decision on
        look_at_progress(range.progress());
        sent_ = sent();
    }

    /// Of the requests of this attempt, as the server saw them.
    void look_at_times(const job_attempt& a, const execution& of) {
        const loop_case& c = case_->jobs[a.job()];
        const auto& starts = world_.at(a.job()).starts;
        const std::size_t sent = starts.size() - of.requests;
        if (a.copies().empty() ? sent > 1 : sent != a.copies().size()) break_("each copy is told of");
        if (static_cast<std::size_t>(a.sends()) > sent) break_("no more is told of than was sent");
        for (std::size_t i = of.requests; i < starts.size(); ++i) {
            if (starts[i] < of.ready) break_("no wait is shorter than it was said to be");
            if (case_->deadline > 0s && starts[i] >= later(world_.beginning, case_->deadline))
                break_("nothing is sent from the deadline on");
            if (case_->stop_at && starts[i] > later(world_.beginning, *case_->stop_at))
                break_("nothing is sent after a stop");
        }
        if (slow_ || callables_take_time()) return;
        if (c.timeout > 0s && a.elapsed() > c.timeout) break_("the timeout holds");
        if (case_->deadline > 0s && world_.elapsed() > case_->deadline) break_("the deadline holds");
        if (case_->stop_at && world_.elapsed() > *case_->stop_at + case_->grace) break_("a stop is prompt");
    }

    bool callables_take_time() const {
        return std::any_of(case_->jobs.begin(), case_->jobs.end(), [](const loop_case& c) {
            const auto slow = [](const habit& h) { return h.set && h.at > 0 && h.deed == deed::advances; };
            return slow(c.before) || slow(c.after) || slow(c.on);
        });
    }

    void look_at_progress(const progress& p) {
        const concurrency& most = case_->limits;
        const auto over = [](std::size_t n, int limit) { return limit > 0 && n > static_cast<std::size_t>(limit); };
        if (p.read != p.in_flight + p.waiting + p.done) break_("what was read is in flight, waiting or done");
        if (p.attempts != attempts_) break_("progress tells how many attempts were yielded");
        std::vector<std::size_t> at_host(static_cast<std::size_t>(case_->hosts));
        std::size_t in_flight = 0;
        for (std::size_t i = 0; i < cases_.size(); ++i) {
            const bool is = world_.at(i).in_flight > 0;
            in_flight += is;
            if (over(at_host[i % at_host.size()] += is, most.max_per_host)) break_("max_per_host holds");
        }
        if (over(in_flight, most.max_in_flight) || in_flight != p.in_flight) break_("max_in_flight holds");
    }

    void look_at_end(const all_attempts& range) {
        std::size_t ends = 0, done = 0;
        for (int i = 0; i < 11; ++i) ends += range.count(static_cast<ended>(i));
        for (const execution& each : courses_) done += static_cast<std::size_t>(each.lasts);
        const progress p = range.progress();
        if (p.done != done || ends != done) break_("each request that is done has one reason");
        if (threw_ || left_) return;
        if (p.done != p.read || !p.all_read || p.in_flight + p.waiting > 0)
            break_("each that was read has a last attempt");
        const bool cut = case_->stop_at || case_->deadline > 0s || world_.stop().stop_requested();
        if (!cut && p.done != cases_.size()) break_("all are read");
        if (!cases_.empty() && p.done == 0) break_("a range that is pulled yields at least one attempt");
    }

    /// Each went as it would have alone.
    void compare() {
        for (std::size_t i = 0; i < courses_.size(); ++i) {
            if (courses_[i].number == 0) continue;  // a stop or a deadline came before it was read
            expect(case_->jobs[i], courses_[i].expected);
            if (courses_[i].expected != courses_[i].seen) break_("each goes as it would alone");
        }
    }

    void look_back_at(std::size_t i) {
        if (cases_[i].broken()) break_(cases_[i].broken());
        std::array<int, 2> open = {};
        for (const mark& m : courses_[i].seen) {
            const guard_plan& p = case_->jobs[i].guard_plans[static_cast<std::size_t>(m.guard)];
            int& n = open[static_cast<std::size_t>(m.guard)];
            const answer a = p.answers[static_cast<std::size_t>(std::max(m.number, 1) - 1) % p.answers.size()];
            if (m.seen == seen::admitted) n += a == answer::go || a == answer::wait;
            if (m.seen == seen::recorded || m.seen == seen::cancelled) --n;
            if (n < 0) break_("each admission is answered once");
        }
        if (open != std::array<int, 2>{}) break_("each admission is answered");
        if (world_.at(i).in_flight > 0) break_("nothing is left in flight");
        if (!threw_ && !left_ && courses_[i].requests != world_.at(i).starts.size()) break_("each request is told of");
    }

    std::size_t sent() const {
        std::size_t n = 0;
        for (const auto& each : world_.jobs()) n += each.starts.size();
        return n;
    }

    void break_(const char* promise) {
        if (broken_.empty()) broken_ = promise;
    }

    const crowd_case* case_ = nullptr;
    crowd_world world_;
    crowd_client client_{world_};
    std::vector<execution> courses_;
    std::deque<job_case> cases_;
    std::string broken_;
    bool slow_ = false, threw_ = false, left_ = false;
    std::size_t attempts_ = 0, sent_ = 0;
};

}  // namespace r2::property
