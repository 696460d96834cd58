#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include <r2/testing.hpp>

#include "property/course.hpp"
#include "property/questions.hpp"

namespace r2::property {

/// The loop itself, of a case, on a fake client; whatever can be seen of it is marked.
class real {
public:
    real(const loop_case& c, course& out) : c_(c), out_(out) {
        fake.seed(c.seed);
        write_script();
        if (c.may_stop && c.stop_at) fake.stop_at(*c.stop_at, stop);
        range.emplace(fake.send(first_request(), make_options()));
    }
    real(real&&) = delete;

    testing::fake_client fake;
    std::stop_source stop;
    std::optional<attempts> range;
    bool told_secret = false;

    mark now(seen what) const {
        return {.seen = what, .requests = static_cast<int>(fake.requests().size()), .now = fake.now()};
    }

    mark of(seen what, const attempt& a) {
        mark m = now(what);
        m.number = a.number();
        m.outcome = a.response() ? a.response()->status : -static_cast<int>(a.error().kind());
        m.sent = a.error().sent();
        m.sends = a.sends();
        m.elapsed = a.elapsed();
        m.ended = a.ended();
        m.wait = a.wait();
        m.wait_from = a.wait_from();
        m.refusal = a.refusal().empty() ? 0 : a.refusal()[0] - '0';
        if (a.error() && a.error().message().find(secret) != std::string::npos) told_secret = true;
        return m;
    }

private:
    request first_request() const {
        request q{std::string(methods[static_cast<std::size_t>(c_.method)]), "http://u:pA55@job.test/"};
        q.headers.add("Authorization", secret);
        q.headers.add("Cookie", secret);
        if (c_.key && c_.key_in_request) q.headers.add("idempotency-key", "k");
        if (q.method.starts_with("P")) q.body = secret;
        return q;
    }

    options make_options() {
        options o{
            .max_attempts = c_.max_attempts, .timeout = c_.timeout, .interval = c_.interval, .deadline = c_.deadline};
        o.terminate_if = predicate_of(c_.terminate_if, seen::terminate_if, 4);
        o.retry_if = predicate_of(c_.retry_if, seen::retry_if, 5);
        o.backoff = backoff_of(c_.backoff);
        o.jitter = jitter_of(c_);
        if (c_.throttle_backoff) o.throttle_backoff = backoff_of(*c_.throttle_backoff);
        o.retry_after = c_.retry_after;
        if (c_.key && !c_.key_in_request) o.idempotency_key = "k";
        o.replay = c_.replay;
        set_hooks(o);
        if (c_.may_stop) o.stop = stop.get_token();
        o.stop_grace = c_.grace;
        for (int i = 0; i < c_.guards; ++i) o.guards.push_back(guard_of(i));
        o.max_body = c_.max_body;
        return o;
    }

    // The user's callables.

    void act(const habit& h, int number, int where) {
        const deed d = h.now(number);
        if (d == deed::advances) fake.advance(h.d);
        if (d == deed::stops && c_.may_stop) stop.request_stop();
        if (d == deed::throws) throw oops{c_.seed, where};
    }

    std::optional<response> before(request& q, int number) {
        mark m = now(seen::before);
        m.number = number;
        out_.push_back(m);
        act(c_.before, number, 1);
        const deed d = c_.before.now(number);
        if (d == deed::to_put) q.method = "PUT";
        if (d == deed::adds_key) q.headers.set("Idempotency-Key", "k");
        if (d == deed::spoils_head) q.headers.add("X-Line", "pA55\n");
        if (d == deed::answers) return response{.status = c_.before.status};
        return std::nullopt;
    }

    void after(const request& q, attempt& a) {
        show(seen::after, q, a);
        act(c_.after, a.number(), 2);
        const deed d = c_.after.now(a.number());
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
            act(c_.on, a.number(), 3);
        };
    }

    void show(seen what, const request& q, const attempt& a) {
        mark m = of(what, a);
        m.who = method_of(q);
        out_.push_back(m);
    }

    predicate predicate_of(const asked& a, seen which, int where) {
        predicate p = plain_predicate_of(a, which, where);
        return a.negated ? predicate(!std::move(p)) : p;
    }

    predicate plain_predicate_of(const asked& a, seen which, int where) {
        const auto answer = [this, &a, which, where](int number, int outcome) {
            mark m = now(which);
            m.number = number;
            m.outcome = outcome;
            out_.push_back(m);
            if (number && number == a.throws_at) throw oops{c_.seed, where};
            return holds(a.question, number, outcome);
        };
        if (a.question == question::unset) return {};
        if (a.form == form_of::response) return [answer](const response& res) { return answer(0, res.status); };
        if (a.form == form_of::both)
            return [answer](const response* res, const error& err) {
                return answer(0, res ? res->status : -static_cast<int>(err.kind()));
            };
        return [answer](const attempt& x) {
            return answer(x.number(), x.response() ? x.response()->status : -static_cast<int>(x.error().kind()));
        };
    }

    backoff backoff_of(const backoff_plan& p) {
        if (p.kind != backoff_kind::custom) return plain_backoff(p);
        return backoff::custom([this, &p](int retry) {
            mark m = now(seen::backoff);
            m.number = retry;
            out_.push_back(m);
            if (retry == p.throws_at) throw oops{c_.seed, 6};
            return custom_delay(retry);
        });
    }

    class told_guard : public guard {
    public:
        told_guard(real& r, int index) : real_(r), plan_(r.plan_of(index)), index_(index) {}

        admission admit(const request& q, int number, time_point told) override {
            tell(real_.now(seen::admitted), number, told);
            if (method_of(q) != real_.c_.method) throw std::logic_error("a guard sees what before_attempt changed");
            if (plan_.stops_at == number && real_.c_.may_stop) real_.stop.request_stop();
            switch (plan_.answers[static_cast<std::size_t>(number - 1) % plan_.answers.size()]) {
                case answer::wait:
                    return admission::wait(plan_.wait);
                case answer::refuse:
                    return admission::refuse(std::string(1, static_cast<char>('1' + index_)));
                case answer::throws:
                    throw oops{real_.c_.seed, 20 + index_};
                case answer::go:
                    break;
            }
            return admission::go;
        }

        void record(const attempt& a, time_point told) override {
            tell(real_.of(seen::recorded, a), a.number(), told);
            if (a.number() == plan_.record_throws_at) throw oops{real_.c_.seed, 31 + index_};
        }

        void cancel(const request&, time_point told) override { tell(real_.now(seen::cancelled), 0, told); }

    private:
        void tell(mark m, int number, time_point told) {
            m.who = index_;
            m.number = number;
            m.told = told - testing::fake_client::beginning;
            real_.out_.push_back(m);
        }

        real& real_;
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

    static int method_of(const request& q) {
        return static_cast<int>(std::find(methods.begin(), methods.end(), q.method) - methods.begin());
    }

    // The script.

    void write_script() {
        for (int i = 0; i < c_.steps; ++i) {
            const step& s = c_.script[static_cast<std::size_t>(i)];
            if (s.throws)
                fake.reply_with([seed = c_.seed](const request&) -> int { throw oops{seed, 10}; });
            else if (!s.status)
                fake.fail_after(s.after, error(s.kind, {}, s.sent));
            else
                fake.reply_after(s.after, {s.status, headers_of(s), s.body ? std::string(secret) : std::string()});
        }
        fake.forever();
    }

    static std::string date(duration since_beginning) {
        const auto n = since_beginning / 1s;
        std::string text = "Thu, 01 Jan 2026 00:00:00 GMT";
        text[23] = static_cast<char>('0' + n / 10);
        text[24] = static_cast<char>('0' + n % 10);
        return text;
    }

    static headers headers_of(const step& s) {
        headers h;
        const auto malformed = {"-1", "1.5", "120s", "soon", "", "Thu, 01 Jan 2026 00:00:09"};
        if (s.asks == asks::seconds)
            h.add("Retry-After", s.wait == duration::max() ? "99999999999999999999" : std::to_string(s.wait / 1s));
        if (s.asks == asks::date) h.add("Retry-After", date(s.wait));
        if (s.asks == asks::milliseconds) h.add("retry-after-ms", std::to_string(s.wait / 1ms));
        if (s.asks == asks::malformed) h.add("Retry-After", malformed.begin()[s.wait / 1s]);
        if (s.asks == asks::past_date) h.add("Retry-After", "Wed, 31 Dec 2025 23:59:59 GMT");
        if (s.asks == asks::date_by_its_own_clock) {
            h.add("Date", date(30s));
            h.add("Retry-After", date(30s + s.wait));
        }
        if (h.contains("Retry-After")) h.add("Retry-After", "9");  // of several, the first counts
        return h;
    }

    const loop_case& c_;
    course& out_;
};

}  // namespace r2::property
