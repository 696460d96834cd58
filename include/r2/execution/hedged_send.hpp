#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "r2/execution/guard_chain.hpp"
#include "r2/machine/machine.hpp"
#include "r2/policy/hedge.hpp"
#include "r2/policy/latency_log.hpp"
#include "r2/policy/options.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/hedged_copy.hpp"

namespace r2::inline v0_2::detail {

/// The copies of a hedged attempt's request: sends them, and keeps what became of each. What an outcome is worth is
/// the execution's to say. A template as that is.
class hedged_send {
public:
    /// Guards are asked about `base`; `q`, which is sent, is copied, as copies that lost may outlive the attempt.
    hedged_send(transport& transport, latency_log& latencies, const options& o, const request& base, const request& q,
                int number)
        : transport_(transport),
          latencies_(latencies),
          options_(o),
          base_(base),
          request_(std::make_shared<const request>(q)),
          number_(number),
          started_(transport.now()),
          schedule_(o.hedge.copies, delay(), started_) {}
    hedged_send(hedged_send&&) = delete;
    ~hedged_send() {
        for (copy& each : copies_)
            if (each.in_flight) transport_.cancel(each.transfer);
    }

    /// Sends the original, which has been admitted, and the copies that go with it. None goes from `limit` on.
    void start(guard_chain& admitted, const transfer_limits& l, time_point limit, void* owner) {
        limits_ = l;
        limit_ = limit;
        owner_ = owner;
        launch(admitted, nullptr, started_);
        send_due();
    }

    /// Whether there is nothing more to come of it.
    bool over() const noexcept { return in_flight_ == 0; }

    /// When the last outcome so far was there, or all were cut.
    time_point done() const noexcept { return done_; }

    /// When the next copy goes out; `never`: none will.
    time_point next() const noexcept { return schedule_.next(); }

    /// Sends the copies whose time has come, if guards let them.
    void send_due() {
        for (time_point now = transport_.now(); next() <= now; now = transport_.now()) {
            if (!may_send(now)) continue;  // then it is due later, or never
            schedule_.went_out(now);
            guard_chain& admitted = waiting_->admitted;
            launch(admitted, std::move(waiting_), now);
        }
    }

    /// Takes the outcome of a complete transfer, and says which copy's it is.
    std::size_t take(const completion& c, std::optional<attempt>& into) {
        std::size_t which = 0;
        while (&copies_[which].transfer != c.which) ++which;
        copies_[which].in_flight = false;
        into.emplace(transport_.take(copies_[which].transfer));
        --in_flight_;
        done_ = transport_.now();
        if (which == 0) latency_ = std::clamp(c.at, started_, done_) - started_;
        told_[which].sends = into->sends();
        told_[which].elapsed = done_ - started_ - told_[which].started;
        note(which, *into);
        return which;
    }

    /// Tells the guards what became of a copy, and remembers it.
    void record(std::size_t which, const attempt& a) {
        told_[which].status = a.response() ? a.response()->status : 0;
        told_[which].error = a.error();
        copies_[which].admitted->record(a, done_);
    }

    /// A copy failed in a way that may pass, or else for a reason of its own, so that no more go out; the server may
    /// have asked for a wait. Of such outcomes, the one that asks for the latest time is kept, else the last.
    void failed(std::size_t which, attempt&& a, const opinion& said, std::optional<duration> asked) {
        told_[which].became = hedged_copy::fate::failed;
        const time_point now = transport_.now();
        const time_point not_before = asked ? later(now, *asked) : time_point::min();
        if (!failure_ || (said.retry && not_before >= failure_->not_before))
            failure_.emplace(failure{std::move(a), said, not_before});
        if (said.retry)
            schedule_.failed(now, asked);
        else
            schedule_.end();
        send_due();
    }

    /// A copy's outcome is the attempt's. Nobody wants those of the others.
    void won(std::size_t which, const opinion& said) {
        told_[which].became = hedged_copy::fate::won;
        said_ = said;
        failure_.reset();
        const duration drain = options_.hedge.drain;
        const time_point until = later(transport_.now(), std::max(drain, duration{}));
        end_all([&](ticket& t) {
            return drain > duration{} ? transport_.drain(t, request_, until) : transport_.cancel(t);
        });
        note_latency();
        lose([](int sends) {
            return r2::error(errc::stopped, "another copy answered first", sends > 0 ? sent::maybe : sent::no);
        });
    }

    /// A limit or a stop came: cuts all that are in flight, with this error for that many sends, and says how often
    /// the request was sent. That is the last failure of all, unless it was the stop that came.
    template <class Why> int cut(Why why, bool by_stop) {
        done_ = transport_.now();
        end_all([&](ticket& t) { return transport_.cancel(t); });
        if (!by_stop) note_latency();
        lose(why);
        if (by_stop || (failure_ && failure_->not_before == time_point::min())) failure_.reset();
        return sends();
    }

    /// Puts the outcome of all in its place, if it isn't there already, and what the predicates said of it, if they
    /// were asked.
    void settle(std::optional<attempt>& outcome, std::optional<opinion>& said) {
        if (failure_) {
            outcome.emplace(std::move(failure_->outcome));
            said_ = failure_->said;
        }
        said = said_;
    }

    /// Of all copies together.
    int sends() const noexcept {
        int sum = 0;
        for (const hedged_copy& each : told_) sum += each.sends;
        return sum;
    }

    std::vector<hedged_copy> told() && { return std::move(told_); }

private:
    /// A copy's own permission, as guards know one by the address of its request.
    struct permit {
        permit(const std::vector<std::shared_ptr<guard>>& guards, const request& q, transport& transport)
            : base(q), admitted(guards, base, transport) {}

        request base;
        guard_chain admitted;
    };

    struct copy {
        ticket transfer;
        bool in_flight = true;
        bool cut = false;  // and the guards don't know it yet
        guard_chain* admitted;
        std::unique_ptr<permit> own;  // null for the original, which has the attempt's
    };

    struct failure {
        attempt outcome;
        opinion said;
        time_point not_before;
    };

    /// Whether another copy may go now; the guards are asked for it the first time.
    bool may_send(time_point now) {
        if (options_.stop.stop_requested() || now >= limit_) return schedule_.end(), false;
        if (waiting_) return true;
        waiting_ = std::make_unique<permit>(options_.guards, base_, transport_);
        const admission answer = waiting_->admitted.ask(nullptr, number_ + 1, now);
        if (answer.refused()) return schedule_.end(), false;
        if (answer.wait() > duration{}) schedule_.hold(later(now, answer.wait()));
        return false;  // look again: it may have to wait, or a guard may have requested a stop
    }

    /// Tells the guards of all that were cut.
    template <class Why> void lose(Why why) {
        for (std::size_t i = 0; i < copies_.size(); ++i) {
            if (!std::exchange(copies_[i].cut, false)) continue;
            attempt a(why(told_[i].sends), told_[i].sends);
            note(i, a);
            record(i, a);
        }
    }

    void note(std::size_t which, attempt& a) const {
        a.notes_.number = number_;
        a.notes_.elapsed = told_[which].elapsed;
    }

    duration delay() {
        const hedge_delay& after = options_.hedge.after;
        return after.percentile() ? latencies_.at(base_, *after.percentile()) : after.fixed();
    }

    void launch(guard_chain& admitted, std::unique_ptr<permit> own, time_point now) {
        told_.push_back({.started = now - started_});
        copies_.reserve(hedge_schedule::most_copies + 1);
        copies_.push_back({.transfer = {owner_}, .in_flight = false, .admitted = &admitted, .own = std::move(own)});
        transport_.start(copies_.back().transfer, *request_, limits_);
        copies_.back().in_flight = true;
        ++in_flight_;
    }

    template <class End> void end_all(End end) {
        for (std::size_t i = 0; i < copies_.size(); ++i) {
            copy& each = copies_[i];
            if (!each.in_flight) continue;
            if (i == 0) latency_ = done_ - started_;
            told_[i].elapsed = done_ - started_ - told_[i].started;
            each.in_flight = false;
            told_[i].sends = end(each.transfer);
            each.cut = true;
        }
        in_flight_ = 0;
    }

    /// Logs how long the original took, or has taken up to now, unless it failed. Copies aren't logged: they are sent
    /// when the original is slow, and would make the usual look faster than it is.
    void note_latency() {
        if (options_.hedge.after.percentile() && told_[0].became != hedged_copy::fate::failed)
            latencies_.add(base_, latency_);
    }

    transport& transport_;
    latency_log& latencies_;
    const options& options_;
    const request& base_;  // as before `before_attempt`
    const std::shared_ptr<const request> request_;
    const int number_;
    const time_point started_;
    transfer_limits limits_;
    time_point limit_ = never;
    time_point done_ = started_;
    duration latency_ = {};  // of the original, or how long it lasted up to now
    void* owner_ = nullptr;
    hedge_schedule schedule_;
    std::unique_ptr<permit> waiting_;  // of the next copy, once the guards were asked
    std::vector<copy> copies_;
    std::vector<hedged_copy> told_;  // what is told of each of them
    std::size_t in_flight_ = 0;
    std::optional<failure> failure_;
    std::optional<opinion> said_;
};

}  // namespace r2::inline v0_2::detail
