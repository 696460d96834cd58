#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <r2/testing.hpp>

#include "property/mark.hpp"
#include "property/questions.hpp"

namespace r2::property {

/// A case in truth: its request and its options, whose callables mark whatever can be seen. Where it takes place is
/// said by who derives from this.
class told_case {
public:
    told_case(const loop_case& c, trace& out) : c_(c), out_(out) {}
    told_case(told_case&&) = delete;
    virtual ~told_case() = default;

    request request_to(std::string url) const {
        request q{std::string(methods[static_cast<std::size_t>(c_.method)]), std::move(url)};
        q.headers.add("Authorization", secret);
        q.headers.add("Cookie", secret);
        if (c_.key && c_.key_in_request) q.headers.add("idempotency-key", "k");
        if (q.method.starts_with("P")) q.body = secret;
        return q;
    }

    options make_options() {
        options o{
            .max_attempts = c_.max_attempts, .timeout = c_.timeout, .interval = c_.interval, .deadline = c_.deadline};
        o.terminate_if = predicate_of(c_.terminate_if, seen::terminate_if, thrower::terminate_if);
        o.retry_if = predicate_of(c_.retry_if, seen::retry_if, thrower::retry_if);
        o.backoff = backoff_of(c_.backoff);
        o.jitter = jitter_of(c_);
        if (c_.throttle_backoff) o.throttle_backoff = backoff_of(*c_.throttle_backoff);
        o.retry_after = c_.retry_after;
        if (c_.key && !c_.key_in_request) o.idempotency_key = "k";
        o.replay = c_.replay;
        set_hooks(o);
        if (c_.may_stop) o.stop = stop_token();
        o.stop_grace = c_.grace;
        for (int i = 0; i < c_.guards; ++i) o.guards.push_back(guard_of(i));
        o.max_body = c_.max_body;
        o.hedge = {.copies = c_.hedge_copies, .after = c_.hedge_after, .unsafe = c_.hedge_unsafe};
        return o;
    }

    /// This mark, as of now.
    mark now(seen what, mark m = {}) const {
        m.seen = what;
        m.requests = requests();
        m.now = time();
        return m;
    }

    mark of(seen what, const attempt& a) {
        mark m = now(what);
        m.number = a.number();
        m.outcome = outcome_of(a.response(), a.error());
        m.sent = a.error().sent();
        m.sends = a.sends();
        m.elapsed = a.elapsed();
        m.ended = a.ended();
        m.wait = a.wait();
        m.wait_from = a.wait_from();
        m.refusal = a.refusal().empty() ? 0 : a.refusal()[0] - '0';
        if (a.error()) look_for_secret(a.error().message());
        return m;
    }

    /// Of one with all its copies.
    mark show(seen what, const attempt& a) {
        for (const hedged_copy& each : a.copies())
            out_.push_back({.seen = seen::copy,
                            .outcome = each.status ? each.status : -static_cast<int>(each.error.kind()),
                            .sent = each.error.sent(),
                            .sends = each.sends,
                            .elapsed = each.elapsed,
                            .wait = each.started,
                            .became = each.became});
        return of(what, a);
    }

    /// Returns the broken promise that no mark shows, or null.
    const char* broken() const noexcept { return broken_; }

protected:
    virtual duration time() const = 0;
    virtual int requests() const = 0;
    virtual void advance(duration d) = 0;
    virtual std::stop_token stop_token() const = 0;
    virtual void request_stop() = 0;

    static int outcome_of(const response* res, const error& err) {
        return res ? res->status : -static_cast<int>(err.kind());
    }

    static int method_of(const request& q) {
        return static_cast<int>(std::find(methods.begin(), methods.end(), q.method) - methods.begin());
    }

    void look_for_secret(std::string_view message) {
        if (message.find(secret) != std::string_view::npos) broken_ = "no secret is in a message";
    }

    const loop_case& c_;
    trace& out_;

private:
    // The user's callables.

    /// Does the deed of a callable, and returns it.
    deed act(const habit& h, int number, thrower who) {
        const deed d = h.now(number);
        if (d == deed::advances) advance(h.d);
        if (d == deed::stops && c_.may_stop) request_stop();
        if (d == deed::throws) throw oops{c_.seed, who};
        return d;
    }

    std::optional<response> before(request& q, int number) {
        out_.push_back(now(seen::before, {.number = number}));
        const deed d = act(c_.before, number, thrower::before);
        if (d == deed::to_put) q.method = "PUT";
        if (d == deed::adds_key) q.headers.set("Idempotency-Key", "k");
        if (d == deed::spoils_head) q.headers.add("X-Line", "pA55\n");
        if (d == deed::answers) return response{.status = c_.before.status};
        return std::nullopt;
    }

    void after(const request& q, attempt& a) {
        show(seen::after, q, a);
        const deed d = act(c_.after, a.number(), thrower::after);
        if (d == deed::to_status && a.response()) a.response()->status = c_.after.status;
        if (d == deed::to_response) a = attempt(response{.status = c_.after.status});
        if (d == deed::to_error) a = attempt(error(errc::timeout, {}, r2::sent::maybe));
    }

    void set_hooks(options& o) {
        if (c_.before.set) o.before_attempt = [this](request& q, int number) { return before(q, number); };
        if (c_.after.set) o.after_attempt = [this](const request& q, attempt& a) { after(q, a); };
        if (!c_.on.set) return;
        o.on_attempt = [this](const request& q, const attempt& a) {
            show(seen::on, q, a);
            act(c_.on, a.number(), thrower::on);
        };
    }

    void show(seen what, const request& q, const attempt& a) {
        mark m = show(what, a);
        m.method = method_of(q);
        out_.push_back(m);
    }

    predicate predicate_of(const asked& a, seen which, thrower who) {
        predicate p = plain_predicate_of(a, which, who);
        return a.negated ? predicate(!std::move(p)) : p;
    }

    predicate plain_predicate_of(const asked& a, seen which, thrower who) {
        const auto answer = [this, &a, which, who](int number, int outcome) {
            out_.push_back(now(which, {.number = number, .outcome = outcome}));
            if (number && number == a.throws_at) throw oops{c_.seed, who};
            return holds(a.question, number, outcome);
        };
        if (a.question == question::unset) return {};
        if (a.form == form_of::response) return [answer](const response& res) { return answer(0, res.status); };
        if (a.form == form_of::both)
            return [answer](const response* res, const error& err) { return answer(0, outcome_of(res, err)); };
        return [answer](const attempt& x) { return answer(x.number(), outcome_of(x.response(), x.error())); };
    }

    backoff backoff_of(const backoff_plan& p) {
        if (p.kind != backoff_kind::custom) return plain_backoff(p);
        return backoff::custom([this, &p](int retry) {
            out_.push_back(now(seen::backoff, {.number = retry}));
            if (retry == p.throws_at) throw oops{c_.seed, thrower::backoff};
            return custom_delay(retry);
        });
    }

    class told_guard : public guard {
    public:
        told_guard(told_case& c, int index) : case_(c), plan_(c.plan_of(index)), index_(index) {}

        admission admit(const request& q, int number, time_point told) override {
            tell(case_.now(seen::admitted), number, told);
            if (method_of(q) != case_.c_.method)
                case_.broken_ = "a guard is asked before before_attempt changes a thing";
            if (plan_.stops_at == number && case_.c_.may_stop) case_.request_stop();
            switch (plan_.answers[static_cast<std::size_t>(number - 1) % plan_.answers.size()]) {
                case answer::wait:
                    return admission::wait(plan_.wait);
                case answer::refuse:
                    return admission::refuse(std::string(1, static_cast<char>('1' + index_)));
                case answer::throws:
                    throw oops{case_.c_.seed, thrower::admit, index_};
                case answer::go:
                    break;
            }
            return admission::go;
        }

        void record(const attempt& a, time_point told) override {
            tell(case_.of(seen::recorded, a), a.number(), told);
            if (a.number() == plan_.record_throws_at) throw oops{case_.c_.seed, thrower::record, index_};
        }

        void cancel(const request&, time_point told) override { tell(case_.now(seen::cancelled), 0, told); }

    private:
        void tell(mark m, int number, time_point told) {
            m.guard = index_;
            m.number = number;
            m.told = told - testing::fake_client::beginning;
            case_.out_.push_back(m);
        }

        told_case& case_;
        const guard_plan& plan_;
        int index_;
    };

    /// One that is asked and told in the longer words; `record` isn't called then.
    class guard_that_looks_back final : public told_guard {
    public:
        using told_guard::told_guard;

        admission admit_next(const request& q, const attempt& before, time_point told) override {
            return admit(q, before.number() + 1, told);
        }
        void record_of(const request&, const attempt& a, time_point told) override { record(a, told); }
    };

    std::shared_ptr<guard> guard_of(int i) {
        const guard_plan& p = plan_of(i);
        if (p.null) return nullptr;
        if (p.looks_back) return std::make_shared<guard_that_looks_back>(*this, i);
        return std::make_shared<told_guard>(*this, i);
    }

    const guard_plan& plan_of(int i) const { return c_.guard_plans[static_cast<std::size_t>(i)]; }

    const char* broken_ = nullptr;
};

}  // namespace r2::property
