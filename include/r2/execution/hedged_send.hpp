#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "r2/execution/attempt_limit.hpp"
#include "r2/execution/execution_context.hpp"
#include "r2/execution/hedge_schedule.hpp"
#include "r2/execution/kept_failure.hpp"
#include "r2/execution/sent_copy.hpp"
#include "r2/machine/classification.hpp"
#include "r2/policy/server_timing.hpp"
#include "r2/words/attempt.hpp"

namespace r2::inline v0_2::detail {

/// One attempt on the wire, hedged or not: its request, and the copies of that if it has any. Sends and cuts them, and
/// picks the attempt's outcome among theirs. The execution classifies each.
class hedged_send {
public:
    /// A plain attempt has one copy, the original. Keep the context and the request alive.
    hedged_send(const execution_context& c, const request& q, int number, const attempt_limit& l)
        : context_(c), limit_(l), request_(&q), number_(number), started_(c.transport.now()), done_(started_) {}
    hedged_send(hedged_send&&) = delete;
    ~hedged_send() {
        for_each_copy([this](sent_copy& c) {
            if (c.in_flight) context_.transport.cancel(c);
        });
    }

    /// Sends the original, which the guards have admitted, and the copies that go with it at once. `owner` is its
    /// ticket's.
    void start(guard_chain& admitted, void* owner) {
        original_.owner = owner;
        original_.guards = &admitted;
        const hedge_policy& policy = context_.options.hedge;
        if (policy.copies > 0 && (policy.unsafe || is_idempotent_method(request_->method))) hedge();
        launch(original_, started_);
        send_due();
    }

    /// When the limit passes or a copy is due. Notices a stop: call it before each wait.
    time_point next_timer() { return std::min(limit_.next(context_.transport.now()), schedule_.next()); }

    /// Whether the limit has passed: then `cut` it.
    bool is_overdue() const { return limit_.passed_or_stopped(context_.transport.now()); }

    /// Sends the copies whose time has come, if the guards admit them.
    void send_due() {
        for (time_point now = context_.transport.now(); schedule_.next() <= now; now = context_.transport.now()) {
            if (!may_send(now)) continue;  // the guards were asked just now: look again
            schedule_.copy_sent(now);
            copies_.push_back(std::move(waiting_));
            launch(*copies_.back(), now);
        }
    }

    /// Returns the outcome of a complete transfer.
    std::unique_ptr<attempt> take(const completion& c) {
        sent_copy& copy = *static_cast<sent_copy*>(c.which);
        // Allocates before it takes: a transfer that wasn't taken is still to be cancelled.
        std::unique_ptr<attempt> outcome(new attempt(context_.transport.take(copy)));
        copy.in_flight = false;
        --in_flight_;
        const time_point now = context_.transport.now();
        const time_point arrived = std::clamp(c.at, started_, now);
        if (&copy == &original_) latency_ = arrived - started_;
        done_ = is_hedged() ? now : arrived;  // copies are compared by when they were looked at
        copy.report.sends = outcome->sends();
        copy.report.elapsed = elapsed() - copy.report.started;
        note(copy, outcome->notes());
        return outcome;
    }

    /// Whether such an outcome is the attempt's, whatever the other copies do.
    static bool decides(const attempt& outcome, classification classified) noexcept {
        // A lack of memory or descriptors for one copy doesn't concern the others.
        const bool lacks = outcome.error() == errc::local && classified == classification::permanent;
        return classified != classification::retryable && !lacks;
    }

    /// The copy's outcome is the attempt's. The others have lost.
    void win(const completion& c, const attempt& outcome) {
        sent_copy& winner = *static_cast<sent_copy*>(c.which);
        report(winner, outcome, hedged_copy::fate::won);
        const duration drain = context_.options.hedge.drain;
        end_all([&](sent_copy& loser) {
            if (drain <= duration{}) return context_.transport.cancel(loser);
            return context_.transport.drain(loser, kept_, later(context_.transport.now(), drain));
        });
        log_latency();
        record_cut_copies([](int sends) {
            return error(errc::stopped, "the response to another copy came first", sends > 0 ? sent::maybe : sent::no);
        });
    }

    /// The copy has failed. Returns the outcome of the attempt; nothing while other copies are in flight, which may do
    /// better. A plain attempt that failed ends here too.
    std::optional<classified_outcome> fail(const completion& c, classified_outcome&& latest) {
        report(*static_cast<sent_copy*>(c.which), *latest.outcome, hedged_copy::fate::failed);
        keep_failure(std::move(latest));
        if (in_flight_ > 0) return std::nullopt;
        return failure_.take();
    }

    /// Cuts all copies in flight, as the limit has passed. The guards hear of it by `record_cut`.
    void cut() {
        done_ = context_.transport.now();
        end_all([this](sent_copy& c) { return context_.transport.cancel(c); });
    }

    /// Tells the guards of the copies that were cut. Returns the outcome of an earlier copy whose server asked for a
    /// wait, if there is one: that wait still counts. Else the attempt's outcome is the limit's.
    std::optional<classified_outcome> record_cut() {
        if (!limit_.by_stop()) log_latency();
        if (is_hedged()) record_cut_copies([this](int sends) { return limit_.reason(sends); });
        if (limit_.by_stop() || !failure_.waits()) return std::nullopt;
        return failure_.take();
    }

    bool in_flight() const noexcept { return in_flight_ > 0; }
    const attempt_limit& limit() const noexcept { return limit_; }
    bool is_hedged() const noexcept { return kept_ != nullptr; }

    /// From the start to the outcome that was taken last, or to the cut.
    duration elapsed() const noexcept { return done_ - started_; }

    /// How often all copies together were put on the wire.
    int sends() {
        int sum = 0;
        for_each_copy([&sum](const sent_copy& c) { sum += c.report.sends; });
        return sum;
    }

    /// Moves the copies' reports out, the original's first.
    std::vector<hedged_copy> reports() {
        std::vector<hedged_copy> all;
        for_each_copy([&all](sent_copy& c) { all.push_back(std::move(c.report)); });
        return all;
    }

private:
    /// Lets further copies follow the original. Copies the request, as draining transfers may outlive the attempt.
    void hedge() {
        kept_ = std::make_shared<const request>(*request_);
        request_ = kept_.get();
        schedule_ = hedge_schedule(context_.options.hedge.copies, delay(), started_);
    }

    /// Asks the guards for the next copy, once.
    bool may_send(time_point now) {
        if (context_.options.stop.stop_requested() || limit_.passed(now)) {
            schedule_.end();
            return false;
        }
        if (waiting_) return true;
        waiting_ = std::make_unique<further_copy>(context_);
        const admission given = waiting_->own_guards.admit(nullptr, number_ + 1, now);
        if (given.refused()) schedule_.end();
        if (given.wait() > duration{}) schedule_.hold(later(now, given.wait()));
        return false;  // look again: it may have to wait, and a guard may have requested a stop
    }

    void launch(sent_copy& c, time_point now) {
        c.owner = original_.owner;
        c.report.started = now - started_;
        const std::size_t max_body = context_.options.max_body;
        context_.transport.start(
            c, *request_, {max_body > 0 ? max_body : transfer_limits{}.max_body, context_.options.max_redirects});
        c.in_flight = true;
        ++in_flight_;
    }

    static void report(sent_copy& c, const attempt& outcome, hedged_copy::fate became) {
        if (const response* res = outcome.response()) c.report.status = res->status;
        c.report.error = outcome.error();
        c.report.became = became;
    }

    /// Sends the next copy, unless the failure is of a kind that the next one would share. Keeps the failure last: a
    /// guard may throw.
    void keep_failure(classified_outcome&& latest) {
        const time_point now = context_.transport.now();
        const auto asked = asked_wait(*latest.outcome);
        if (latest.classification == classification::retryable)
            schedule_.copy_failed(now, asked);
        else
            schedule_.end();
        send_due();
        failure_.keep(std::move(latest), asked ? later(now, *asked) : time_point::min());
    }

    std::optional<duration> asked_wait(const attempt& a) const {
        if (!is_hedged() || !context_.options.retry_after.honour || !a.response()) return std::nullopt;
        return server_wait(*a.response(), context_.transport.wall_now());
    }

    /// Ends all transfers in flight before any guard is called. `end` returns the sends of one.
    template <class End> void end_all(End end) {
        for_each_copy([&](sent_copy& c) {
            if (!c.in_flight) return;
            if (&c == &original_) latency_ = elapsed();
            c.report.elapsed = elapsed() - c.report.started;
            c.in_flight = false;
            c.guards_to_tell = true;
            c.report.sends = end(c);
        });
        in_flight_ = 0;
    }

    /// `why` makes the error of a copy from its sends.
    template <class Why> void record_cut_copies(Why why) {
        for_each_copy([&](sent_copy& c) {
            if (!std::exchange(c.guards_to_tell, false)) return;
            c.report.error = why(c.report.sends);
            attempt cut(c.report.error, c.report.sends);
            note(c, cut.notes());
            c.guards->record(cut, done_);
        });
    }

    void note(const sent_copy& c, attempt_notes& notes) const {
        notes.number = number_;
        notes.elapsed = c.report.elapsed;
    }

    duration delay() const {
        const hedge_delay& after = context_.options.hedge.after;
        return after.percentile() ? context_.latencies.at(context_.request, *after.percentile()) : after.fixed();
    }

    /// Logs how long the original took, or has taken up to now, unless it failed. Copies aren't logged: they are sent
    /// when the original is slow, and would make the usual time look shorter than it is.
    void log_latency() {
        if (is_hedged() && context_.options.hedge.after.percentile() &&
            original_.report.became != hedged_copy::fate::failed)
            context_.latencies.add(context_.request, latency_);
    }

    template <class F> void for_each_copy(F f) {
        f(original_);
        for (const auto& each : copies_) f(*each);
    }

    const execution_context& context_;
    attempt_limit limit_;
    const request* request_;
    std::shared_ptr<const request> kept_;  // if it is hedged
    hedge_schedule schedule_;
    const int number_;
    int in_flight_ = 0;
    const time_point started_;
    time_point done_;
    duration latency_ = {};  // of the original, or how long it has lasted up to now
    sent_copy original_;
    std::unique_ptr<further_copy> waiting_;  // the next one, once the guards were asked for it
    std::vector<std::unique_ptr<further_copy>> copies_;
    kept_failure failure_;
};

}  // namespace r2::inline v0_2::detail
