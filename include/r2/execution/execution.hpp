#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "r2/execution/attempt_limit.hpp"
#include "r2/execution/execution_context.hpp"
#include "r2/execution/guard_chain.hpp"
#include "r2/execution/hedged_send.hpp"
#include "r2/execution/hook_calls.hpp"
#include "r2/machine/asked_waits.hpp"
#include "r2/machine/classification.hpp"
#include "r2/machine/machine.hpp"
#include "r2/words/check.hpp"

namespace r2::inline v0_2::detail {

/// One request on its way through its attempts: carries out the machine's decisions. Never blocks: whoever drives it
/// calls `on_timer` when `next_timer()` has passed, and `on_completion` when a transfer is complete. So one thread can
/// drive thousands.
///
/// First `admit_first`; then for each attempt `can_go_on` until it is `due`, `prepare`, and `start` or
/// `complete_unsent`. These two, `on_timer` and `on_completion` return the attempt with its decision once it is over;
/// null while it is in flight.
class execution {
public:
    /// Its deadline counts from `began`. Keep what the context refers to alive.
    execution(const execution_context& c, time_point began)
        : context_(c),
          machine_(limits_of(c.options, began)),
          guards_(c.options.guards, context_.request, context_.transport),
          hooks_(context_) {}
    execution(execution&&) = delete;

    // Before an attempt. A function that returns false ends the range: see `reason()`.

    /// Asks the guards for the first attempt.
    bool admit_first() {
        if (!can_go_on()) return false;
        if (guards_.empty()) return true;
        const time_point now = context_.transport.now();
        const std::optional<duration> asked = ask_guards(nullptr, now);
        if (!asked) return end_for(ended::refused);
        if (machine_.reaches_deadline(now, *asked)) return end_for(ended::deadline);
        due_ = later(now, *asked);
        return true;
    }

    /// Whether a time is set: by the guards for the first attempt, by the decision on the last one for the next.
    bool has_due_time() const noexcept { return due_ != time_point::min(); }

    /// When the next attempt is due, or the deadline, if that is sooner; `time_point::min()`: at once.
    time_point due() const noexcept { return std::min(due_, machine_.limits().deadline); }

    /// Whether neither a stop nor the deadline has come.
    bool can_go_on() {
        if (context_.options.stop.stop_requested()) return end_for(ended::stopped);
        const time_point deadline = machine_.limits().deadline;
        if (deadline != never && context_.transport.now() >= deadline) return end_for(ended::deadline);
        return true;
    }

    /// Calls `before_attempt`.
    bool prepare() {
        if (!context_.options.before_attempt) return true;
        return hooks_.before(number_ + 1) || can_go_on();
    }

    /// Notes why no attempt follows. Returns false.
    bool end_for(ended why) noexcept {
        reason_ = why;
        return false;
    }

    ended reason() const noexcept { return reason_; }

    /// Of the last attempt; 0 before the first.
    int number() const noexcept { return number_; }

    /// Cancels the admitted attempt with the guards: it is never made.
    void cancel() { guards_.cancel(context_.transport.now()); }

    /// Makes the attempt that stands for one that is never sent: its error is the reason. Cancels with the guards.
    std::unique_ptr<attempt> make_stand_in() {
        cancel();
        hooks_.forget_copy();
        const int number = number_ + 1;
        classified_outcome last{std::make_unique<attempt>(stand_in_error(number)), {}};
        last.outcome->notes() = {.number = number, .ended = reason_, .refusal = refusal_};
        keep_if_thrown(last, [&] { hooks_.on(*last.outcome); });
        return std::move(last.outcome);
    }

    // An attempt.

    /// Sends it. Returns it if it is over at once. `owner` is that of the transfer's ticket.
    std::unique_ptr<attempt> start(void* owner = nullptr) {
        if (const auto given = hooks_.take_response())
            return complete_unsent([&] { return attempt(std::move(*given)); });
        const request& q = hooks_.sent_request();
        if (error bad = check(q)) return complete_unsent([&] { return attempt(std::move(bad)); });
        begin_attempt();
        const time_point deadline = machine_.limits().deadline;
        send_.emplace(context_, q, number_, attempt_limit(context_.options, started_, deadline));
        send_->start(guards_, owner);
        return nullptr;
    }

    /// Makes the attempt without sending: `call` returns its outcome.
    template <class Call> std::unique_ptr<attempt> complete_unsent(Call call) {
        begin_attempt();
        std::unique_ptr<attempt> outcome(new attempt(call()));
        outcome->notes() = {
            .number = number_, .sends = outcome->sends(), .elapsed = context_.transport.now() - started_};
        classified_outcome last{std::move(outcome), {}};
        return keep_if_thrown(last, [&] {
            last.classification = judge(*last.outcome, guards_, false);
            return conclude(last);
        });
    }

    bool in_flight() const noexcept { return send_ && send_->in_flight(); }

    /// When to call `on_timer`, unless a transfer is complete before. Notices a stop: call it before each wait.
    time_point next_timer() { return send_->next_timer(); }

    /// The time of `next_timer` has come: a copy goes out, or the attempt is cut.
    std::unique_ptr<attempt> on_timer() {
        if (!send_->is_overdue()) {
            send_->send_due();
            return nullptr;
        }
        send_->cut();
        const bool by_stop = send_->limit().by_stop();
        const int sends = send_->sends();
        classified_outcome last{std::make_unique<attempt>(send_->limit().reason(sends), sends), {}};
        return keep_if_thrown(last, [&] {
            if (std::optional<classified_outcome> earlier = send_->record_cut()) {
                last = std::move(*earlier);
                return conclude_sent(last);
            }
            end_send(*last.outcome);
            last.classification = judge(*last.outcome, guards_, by_stop);
            return conclude(last);
        });
    }

    /// One of its transfers is complete.
    std::unique_ptr<attempt> on_completion(const completion& c) {
        guard_chain& admitting = *static_cast<sent_copy*>(c.which)->guards;
        classified_outcome latest{send_->take(c), {}};
        return keep_if_thrown(latest, [&]() -> std::unique_ptr<attempt> {
            latest.classification = judge(*latest.outcome, admitting, false);
            if (hedged_send::decides(*latest.outcome, latest.classification)) {
                send_->win(c, *latest.outcome);
                return conclude_sent(latest);
            }
            std::optional<classified_outcome> last = send_->fail(c, std::move(latest));
            if (!last) return nullptr;
            latest = std::move(*last);
            return conclude_sent(latest);
        });
    }

    /// Returns the attempt in which one of the user's callables threw, if its outcome had arrived.
    std::unique_ptr<attempt> thrown_attempt() noexcept { return std::move(thrown_attempt_); }

private:
    void begin_attempt() {
        ++number_;
        started_ = context_.transport.now();
    }

    /// Shows an outcome to `after_attempt`, gives it to the guards that admitted it, and classifies it.
    classification judge(attempt& outcome, guard_chain& admitting, bool cut_by_stop) {
        const time_point now = context_.transport.now();
        try {
            hooks_.after(outcome);
        } catch (...) {
            admitting.record_quietly(outcome, now);  // the loop gets the hook's exception, not a guard's
            throw;
        }
        admitting.record(outcome, now);
        return classify(context_.options, outcome, cut_by_stop);
    }

    std::unique_ptr<attempt> conclude_sent(classified_outcome& last) {
        end_send(*last.outcome);
        return conclude(last);
    }

    /// Nothing is in flight any more. Joins the outcome with the facts about all copies.
    void end_send(attempt& outcome) {
        const int sends = send_->sends();
        const error& failure = outcome.error();
        if (send_->is_hedged() && sends > 0 && failure && failure.sent() == sent::no)
            outcome = attempt(failure.with(sent::maybe));  // other copies were sent
        attempt_notes& notes = outcome.notes();
        notes.number = number_;
        notes.sends = sends;
        notes.elapsed = send_->elapsed();
        if (send_->is_hedged()) notes.copies = send_->reports();
        send_.reset();
    }

    /// Decides what follows the attempt. Returns the outcome with the decision.
    std::unique_ptr<attempt> conclude(classified_outcome& last) {
        attempt& outcome = *last.outcome;
        const bool stop_requested = context_.options.stop.stop_requested();
        const time_point now = context_.transport.now();
        asked_waits waits(
            context_.options, outcome, [this] { return context_.transport.wall_now(); },
            [&] { return ask_guards(&outcome, now); });
        const attempt_facts facts = facts_of(hooks_.sent_request(), outcome, stop_requested);
        const decision d = machine_.decide(facts, last.classification, now, context_.transport.chance(), waits);
        reason_ = d.ended;
        due_ = later(now, d.wait);
        if (d.ended != ended::not_yet) guards_.cancel(now);

        attempt_notes& notes = outcome.notes();
        notes.ended = d.ended;
        notes.wait = d.wait;
        notes.wait_from = d.wait_from;
        if (d.ended == ended::refused) notes.refusal = refusal_;
        hooks_.on(outcome);
        return std::move(last.outcome);
    }

    /// Asks the guards for the attempt after `before`. Returns the longest of their waits; nothing if one refuses.
    std::optional<duration> ask_guards(const attempt* before, time_point now) {
        const admission given = guards_.admit(before, 1, now);
        if (!given.refused()) return given.wait();
        refusal_ = given.reason();
        return std::nullopt;
    }

    error stand_in_error(int number) const {
        if (reason_ == ended::refused) return {errc::refused, refusal_};
        const std::string before =
            number == 1 ? "before the first attempt" : "before attempt " + std::to_string(number);
        if (reason_ == ended::stopped) return {errc::stopped, before};
        return {errc::timeout, "the deadline of " + to_string(context_.options.deadline) + " comes " + before};
    }

    /// Calls `f`. Keeps the outcome if `f` throws.
    template <class F> std::invoke_result_t<F> keep_if_thrown(classified_outcome& last, F f) {
        try {
            return f();
        } catch (...) {
            thrown_attempt_ = std::move(last.outcome);
            throw;
        }
    }

    const execution_context context_;
    machine machine_;
    guard_chain guards_;
    time_point due_ = time_point::min();
    time_point started_ = {};
    int number_ = 0;
    ended reason_ = ended::not_yet;
    std::string refusal_;
    hook_calls hooks_;
    std::optional<hedged_send> send_;  // while it is in flight
    std::unique_ptr<attempt> thrown_attempt_;
};

}  // namespace r2::inline v0_2::detail
