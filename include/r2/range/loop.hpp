#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "r2/engine.hpp"
#include "r2/machine.hpp"
#include "r2/range/admissions.hpp"
#include "r2/range/attempts.hpp"
#include "r2/words/check.hpp"

namespace r2 {

namespace detail {

/// One range at work: carries out on an engine what the machine decides.
///
/// A template, as all that only makes or runs ranges is: it is compiled where a verb is called, and not in each of the
/// many files that include this.
template <class T = void> class attempt_loop {
public:
    attempt_loop(engine& world, job& j)
        : world_(world),
          base_(j.request),
          call_(j.call),
          options_(j.options),
          current_(j.current),
          story_(j.story),
          began_(world.now()),
          rules_(rules_of(options_, began_)),
          machine_(rules_),
          admissions_(options_.guards, base_, world),
          on_stop_(options_.stop, waker{&world}) {}

    /// Waits for the turn of attempt `number` and gets its request ready. Else says what came before it could be sent.
    ended prepare(int number) {
        ended cut = number == 1 ? admit_first() : ended::not_yet;
        if (cut == ended::not_yet) cut = wait_turn();
        if (cut == ended::not_yet && options_.before_attempt) {
            own_ = base_;
            answer_ = options_.before_attempt(*own_, number);
            if (!answer_) cut = cut_short();
        }
        if (cut != ended::not_yet) {
            const time_point now = world_.now();
            story_.lasted(now - began_);
            admissions_.cancel(now);
        }
        return cut;
    }

    /// Makes the attempt that was prepared, and decides what follows it.
    ended make(int number) {
        const time_point began = world_.now();
        if (answer_)
            current_.emplace(std::move(*answer_));
        else if (call_)
            current_.emplace(call_());
        else
            send(began);
        answer_.reset();
        current_->notes_.number = number;
        const time_point done = world_.now();
        current_->notes_.elapsed = done - began;
        tell(done);
        decide();
        observe();
        return current_->ended();
    }

    /// Makes the attempt that stands for a range that ended before anything was sent.
    void never_made(ended why) {
        current_.emplace(reason(why));
        current_->notes_.ended = why;
        current_->notes_.refusal = refusal_;
        story_.add(*current_, world_.now() - began_);
        observe();
    }

    /// The same, where there is nothing to send with.
    static void without_engine(job& j) {
        j.current.emplace(error(errc::local, "no memory or file descriptors for one more transfer"));
        j.current->notes_.ended = ended::not_retryable;
        j.story.add(*j.current, {});
        if (j.options.on_attempt) j.options.on_attempt(j.request, std::as_const(*j.current));
    }

private:
    struct waker {
        engine* world;
        void operator()() const noexcept { world->wake(); }
    };

    error reason(ended why) const {
        if (why == ended::stopped) return {errc::stopped, "before the first attempt"};
        if (why == ended::refused) return {errc::refused, refusal_};
        return {errc::timeout, "the deadline of " + to_string(options_.deadline) + " is over before the first attempt"};
    }

    /// A transfer that is cancelled where memory runs out before it was taken.
    struct running {
        engine& world;
        std::optional<transfer_id> id;

        ~running() {
            if (id) world.cancel(*id);
        }
        int cancel() { return world.cancel(*std::exchange(id, std::nullopt)); }
        void take(std::optional<attempt>& into) {
            world.take(*id, into);
            id.reset();
        }
    };

    const request& sent_request() const noexcept { return own_ ? *own_ : base_; }

    ended cut_short() {
        if (options_.stop.stop_requested()) return ended::stopped;
        return rules_.deadline != never && world_.now() >= rules_.deadline ? ended::deadline : ended::not_yet;
    }

    ended wait_turn() {
        for (;;) {
            if (const ended cut = cut_short(); cut != ended::not_yet) return cut;
            if (turn_ == time_point::min() || world_.now() >= turn_) return ended::not_yet;
            world_.wait_until(std::min(turn_, rules_.deadline));
        }
    }

    ended admit_first() {
        const ended cut = cut_short();
        return cut == ended::not_yet ? admit(nullptr, {}, world_.now()).ended : cut;
    }

    /// Asks the guards, whose wait counts where it is longer than the loop's own; then the deadline once more.
    verdict admit(const attempt* before, verdict v, time_point now) {
        const admission answer = admissions_.ask(before, now);
        if (answer.refused()) {
            refusal_ = answer.reason();
            story_.refused(refusal_);
            return {ended::refused};
        }
        if (answer.wait() > v.wait) v = {ended::not_yet, answer.wait(), wait_source::guard};
        v = machine_.past_deadline(v, now);
        if (v.ended != ended::not_yet) admissions_.cancel(now);
        turn_ = later(now, v.wait);
        return v;
    }

    void send(time_point began) {
        const request& q = sent_request();
        if (error bad = check(q)) return static_cast<void>(current_.emplace(std::move(bad)));

        const time_point limit =
            std::min(rules_.deadline, options_.timeout > duration{} ? later(began, options_.timeout) : never);
        const limits own{options_.max_body > 0 ? options_.max_body : limits{}.max_body, options_.max_redirects};
        running transfer{world_, world_.start(q, own)};
        time_point grace_ends = never;
        bool in_flight = false;  // what isn't yet, gets no grace
        for (time_point now = began;; now = world_.now()) {
            if (grace_ends == never && options_.stop.stop_requested())
                grace_ends = later(now, in_flight ? std::max(options_.stop_grace, duration{}) : duration{});
            const time_point until = std::min(limit, grace_ends);
            if (now >= until) {
                const int sends = transfer.cancel();
                cut_by_stop_ = grace_ends < limit;
                current_.emplace(cut_by_stop_ ? stopped(sends) : timed_out(limit == rules_.deadline, sends), sends);
                return;
            }
            in_flight = true;
            if (world_.wait_until(until)) return transfer.take(current_);
        }
    }

    error timed_out(bool by_deadline, int sends) const {
        const std::string limit = by_deadline ? " before the deadline of " + to_string(options_.deadline)
                                              : " within " + to_string(options_.timeout);
        return sends > 0 ? error(errc::timeout, "no complete response" + limit, sent::maybe)
                         : error(errc::timeout, "not sent" + limit);
    }

    static error stopped(int sends) {
        return sends > 0 ? error(errc::stopped, "before the response was complete", sent::maybe)
                         : error(errc::stopped, "before the request was sent");
    }

    /// Lets the user see and change the outcome, and the guards know it.
    void tell(time_point done) {
        attempt& a = *current_;
        if (options_.after_attempt) {
            const notes facts = a.notes_;
            try {
                options_.after_attempt(sent_request(), a);
            } catch (...) {
                record(done);
                throw;
            }
            a.notes_ = facts;  // in case it was replaced by another attempt
        }
        record(done);
    }

    void record(time_point done) {
        story_.add(*current_, done - began_);
        admissions_.record(*current_, done);
    }

    void decide() {
        attempt& a = *current_;
        facts o{.number = a.number(),
                .sent = a.error().sent(),
                .idempotent = !a.error() || is_idempotent(sent_request()),
                .cut_by_stop = cut_by_stop_,
                .stop_requested = options_.stop.stop_requested()};
        if (a.response()) o.status = a.response()->status;  // braced, g++ 12 falsely warns at -O1: delete with it
        answers_of answers(options_, a, [this] { return world_.wall_now(); });
        const time_point now = world_.now();
        verdict v = machine_.decide(o, now, world_.chance(), answers);
        if (v.ended == ended::not_yet) v = admit(&a, v, now);
        a.notes_.ended = v.ended;
        a.notes_.wait = v.wait;
        a.notes_.wait_from = v.wait_from;
        if (v.ended == ended::refused) a.notes_.refusal = refusal_;
    }

    void observe() {
        if (options_.on_attempt) options_.on_attempt(sent_request(), std::as_const(*current_));
    }

    engine& world_;
    const request& base_;
    const std::function<attempt()>& call_;
    const options& options_;
    std::optional<attempt>& current_;
    story<>& story_;
    const time_point began_;
    const rules rules_;
    machine machine_;
    admissions<T> admissions_;
    time_point turn_ = time_point::min();
    std::optional<request> own_;      // this attempt's own copy, where before_attempt may change it
    std::optional<response> answer_;  // before_attempt's
    std::string refusal_;
    bool cut_by_stop_ = false;
    std::stop_callback<waker> on_stop_;  // last, so that no wake comes once the rest is destroyed
};

}  // namespace detail

/// The rules of the loop, as a coroutine: runs when it is pulled.
template <class T = void> attempts run(std::unique_ptr<detail::job> job) {
    engine_lease world(job->pool);
    if (!world) {
        detail::attempt_loop<T>::without_engine(*job);
        co_yield ended::not_retryable;
        co_return ended::not_retryable;
    }

    detail::attempt_loop<T> loop(*world, *job);
    for (int number = 1;; ++number) {
        ended decided = loop.prepare(number);
        if (decided != ended::not_yet && number > 1) co_return decided;
        if (decided == ended::not_yet)
            decided = loop.make(number);
        else
            loop.never_made(decided);
        co_yield decided;
        if (decided != ended::not_yet) co_return decided;
    }
}

}  // namespace r2
