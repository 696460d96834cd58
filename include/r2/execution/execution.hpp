#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "r2/execution/guard_chain.hpp"
#include "r2/execution/hedged_send.hpp"
#include "r2/machine/machine.hpp"
#include "r2/ranges/attempts.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/check.hpp"

namespace r2::inline v0_2::detail {

/// One request on its way through its attempts: carries out on an transport what the machine decides. It never waits
/// itself, so that one thread can drive one or thousands: who drives it says when time has passed.
///
/// A template, as all that only makes or runs ranges is: it is compiled where a verb is called, and not in each of the
/// many files that include this.
class execution {
public:
    /// `began` is what its deadline counts from; `current` where each attempt is made; `owner` whom the transport names
    /// with a transfer that is complete. `told` hears what happens, and `call` is made in place of sending, where they
    /// aren't null.
    execution(transport& transport, latency_log& latencies, const request& q, const options& o, time_point began,
              std::optional<attempt>& current, void* owner = nullptr, history* told = nullptr,
              const std::function<attempt()>* call = nullptr)
        : transport_(transport),
          latencies_(latencies),
          base_(q),
          call_(call),
          options_(o),
          current_(current),
          owner_(owner),
          history_(told),
          began_(began),
          rules_(rules_of(options_, began_)),
          machine_(rules_),
          guards_(options_.guards, base_, transport) {}
    execution(execution&&) = delete;
    ~execution() {
        if (transfer_) transport_.cancel(*transfer_);
    }

    // Before an attempt. What these say is why there is none: `not_yet` where there is one.

    /// Asks the guards for the first one.
    ended admit_first() {
        const ended cut = cut_short();
        if (cut != ended::not_yet || options_.guards.empty()) return cut;
        return admit(nullptr, {}, transport_.now()).ended;
    }

    /// When the next one is due, or the deadline, if that is sooner; `time_point::min()`: at once.
    time_point turn() const noexcept { return std::min(turn_, rules_.deadline); }

    /// Whether a stop or the deadline came first.
    ended cut_short() {
        if (options_.stop.stop_requested()) return ended::stopped;
        return rules_.deadline != never && transport_.now() >= rules_.deadline ? ended::deadline : ended::not_yet;
    }

    /// Gets the request ready, once its turn has come.
    ended prepare(int number) {
        if (!options_.before_attempt) return ended::not_yet;
        own_ = base_;
        answer_ = options_.before_attempt(*own_, number);
        return answer_ ? ended::not_yet : cut_short();
    }

    /// There will be no other attempt.
    void end() {
        const time_point now = transport_.now();
        if (history_) history_->lasted(now - began_);
        guards_.cancel(now);
    }

    // An attempt: `start`, then until it isn't in flight any more `complete` or `elapse`, then `conclude`.

    void start(int number) {
        number_ = number;
        started_ = transport_.now();
        opinion_.reset();
        over_at_ = never;
        if (answer_)
            current_.emplace(std::move(*answer_));
        else if (call_)
            current_.emplace((*call_)());
        else if (error bad = check(sent_request()))
            current_.emplace(std::move(bad));
        else
            send();
        answer_.reset();
    }

    bool in_flight() const noexcept { return transfer_ || (race_ && !race_->over()); }

    /// When to `elapse`, unless a transfer is complete before; asked before each wait, as a stop may have come.
    time_point due() {
        if (grace_ends_ == never && options_.stop.stop_requested())
            grace_ends_ = later(transport_.now(), waited_ ? std::max(options_.stop_grace, duration{}) : duration{});
        waited_ = true;  // what nobody has worked on yet gets no grace
        const time_point end = std::min(limit_, grace_ends_);
        return race_ ? std::min(end, race_->next()) : end;
    }

    /// That time has come: another copy goes out, or all is over.
    void elapse() {
        if (race_ && transport_.now() < std::min(limit_, grace_ends_)) return race_->send_due();
        cut_by_stop_ = grace_ends_ < limit_;
        const auto why = [this](int sends) {
            return cut_by_stop_ ? stopped(sends) : timed_out(limit_ == rules_.deadline, sends);
        };
        const int sends = race_ ? race_->cut(why, cut_by_stop_) : transport_.cancel(*transfer_);
        transfer_.reset();
        current_.emplace(why(sends), sends);
    }

    /// The transport says that this transfer is complete.
    void complete(const completion& c) {
        if (race_) return complete_copy(c);
        current_.emplace(transport_.take(*c.which));
        transfer_.reset();
        over_at_ = std::max(c.at, started_);
    }

    /// Decides what follows the attempt that is over.
    ended conclude() {
        const time_point done = race_ ? race_->done() : transport_.now();
        if (race_) end_race();
        note(std::min(done, over_at_));
        tell(done);
        decide();
        observe();
        return current_->ended();
    }

    /// Makes the attempt that stands for one that never was, as something came before it.
    void never_made(ended why, int number = 1) {
        own_.reset();  // what before_attempt made of it was another attempt's
        current_.emplace(reason(why, number));
        current_->notes_.number = number;
        current_->notes_.ended = why;
        current_->notes_.refusal = refusal_;
        if (history_) history_->add(*current_, transport_.now() - began_);
        observe();
    }

    /// The same, where there is nothing to send with.
    static void without_transport(const request& q, const options& o, std::optional<attempt>& current) {
        current.emplace(error(errc::local, "no memory or file descriptors for one more transfer"));
        current->notes_.ended = ended::not_retryable;
        if (o.on_attempt) o.on_attempt(q, std::as_const(*current));
    }

private:
    error reason(ended why, int number) const {
        if (why == ended::refused) return {errc::refused, refusal_};
        const std::string before =
            number == 1 ? "before the first attempt" : "before attempt " + std::to_string(number);
        if (why == ended::stopped) return {errc::stopped, before};
        return {errc::timeout, "the deadline of " + to_string(options_.deadline) + " is over " + before};
    }

    const request& sent_request() const noexcept { return own_ ? *own_ : base_; }

    /// Asks the guards, whose wait counts where it is longer than the loop's own; then the deadline once more.
    verdict admit(const attempt* before, verdict v, time_point now) {
        const admission answer = guards_.ask(before, 1, now);
        if (answer.refused()) {
            refusal_ = answer.reason();
            if (history_) history_->refused(refusal_);
            return {ended::refused};
        }
        if (answer.wait() > v.wait) v = {ended::not_yet, answer.wait(), wait_source::guard};
        v = machine_.past_deadline(v, now);
        if (v.ended != ended::not_yet) guards_.cancel(now);
        turn_ = later(now, v.wait);
        return v;
    }

    bool is_hedged() const noexcept {
        return options_.hedge.copies > 0 && (options_.hedge.unsafe || is_idempotent_method(sent_request().method));
    }

    void send() {
        limit_ = std::min(rules_.deadline, options_.timeout > duration{} ? later(started_, options_.timeout) : never);
        grace_ends_ = never;
        waited_ = false;
        const transfer_limits own{options_.max_body > 0 ? options_.max_body : transfer_limits{}.max_body,
                                  options_.max_redirects};
        if (!is_hedged()) {
            transfer_.emplace(owner_);
            try {
                transport_.start(*transfer_, sent_request(), own);
            } catch (...) {
                transfer_.reset();
                throw;
            }
            return;
        }
        race_ = std::make_unique<hedged_send>(transport_, latencies_, options_, base_, sent_request(), number_);
        race_->start(guards_, own, limit_, owner_);
    }

    auto answers_on(const attempt& a) {
        return answers_of(
            options_, a, [this] { return transport_.wall_now(); }, opinion_ ? &*opinion_ : nullptr);
    }

    /// Asks of a copy's outcome what is asked of an attempt's; unless it is worth another attempt, it is this one's.
    void complete_copy(const completion& c) {
        const std::size_t which = race_->take(c, current_);
        show([&] { race_->record(which, *current_); });
        race_->record(which, *current_);
        auto ask = answers_on(*current_);
        const opinion said = opinion_of(*current_, ask);
        // A lack of memory or descriptors for one more says nothing against the others.
        const bool failed = said.retry || (current_->error() == errc::local && !said.terminate.value_or(false));
        if (!failed) return race_->won(which, said);
        const auto wait = options_.retry_after.honour ? ask.retry_after() : std::nullopt;
        race_->failed(which, std::move(*current_), said, wait);
    }

    /// The outcome is that of the copy that won, or else of one that failed, or of all that were cut.
    void end_race() {
        race_->settle(current_, opinion_);
        current_->notes_.sends = race_->sends();
        if (current_->notes_.sends > 0 && current_->error() && current_->error().sent() == sent::no)
            current_->error_ = current_->error().with(sent::maybe);
        current_->notes_.copies = std::move(*race_).told();
        race_.reset();
    }

    void note(time_point done) {
        current_->notes_.number = number_;
        current_->notes_.elapsed = done - started_;
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

    /// Lets the user see and change the outcome, unless that was done when it came, and the guards know it.
    void tell(time_point done) {
        if (!opinion_) show([&] { record(done); });
        record(done);
    }

    /// Where it throws, the guards are told all the same.
    template <class Record> void show(Record record_it) {
        if (!options_.after_attempt) return;
        attempt& a = *current_;
        const notes noted = a.notes_;
        try {
            options_.after_attempt(sent_request(), a);
        } catch (...) {
            try {
                record_it();
            } catch (...) {  // what was thrown first is what reaches the loop
            }
            throw;
        }
        a.notes_ = noted;  // in case it was replaced by another attempt
    }

    void record(time_point done) {
        if (history_) history_->add(*current_, done - began_);
        guards_.record(*current_, done);
    }

    void decide() {
        attempt& a = *current_;
        facts f = facts_of(sent_request(), a);
        f.cut_by_stop = cut_by_stop_;
        f.stop_requested = options_.stop.stop_requested();
        auto answers = answers_on(a);
        const time_point now = transport_.now();
        verdict v = machine_.decide(f, now, transport_.chance(), answers);
        if (v.ended == ended::not_yet) v = admit(&a, v, now);
        a.notes_.ended = v.ended;
        a.notes_.wait = v.wait;
        a.notes_.wait_from = v.wait_from;
        if (v.ended == ended::refused) a.notes_.refusal = refusal_;
    }

    void observe() {
        if (options_.on_attempt) options_.on_attempt(sent_request(), std::as_const(*current_));
    }

    transport& transport_;
    latency_log& latencies_;
    const request& base_;
    const std::function<attempt()>* call_;
    const options& options_;
    std::optional<attempt>& current_;
    void* const owner_;
    history* history_;
    const time_point began_;
    const rules rules_;
    machine machine_;
    guard_chain guards_;
    time_point turn_ = time_point::min();

    // Of the attempt that is made.
    int number_ = 0;
    time_point started_ = {};
    time_point limit_ = never;
    time_point grace_ends_ = never;
    time_point over_at_ = never;  // of a transfer that was complete before it was looked at
    bool waited_ = false;
    bool cut_by_stop_ = false;
    std::optional<ticket> transfer_;     // while it is in flight
    std::unique_ptr<hedged_send> race_;  // in place of it, while it is hedged
    std::optional<opinion> opinion_;     // where the predicates were asked before the decision
    std::optional<request> own_;         // its own copy, where before_attempt may change it
    std::optional<response> answer_;     // before_attempt's
    std::string refusal_;
};

}  // namespace r2::inline v0_2::detail
