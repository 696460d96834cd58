#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "r2/drivers/source.hpp"
#include "r2/drivers/waker.hpp"
#include "r2/execution/execution.hpp"
#include "r2/execution/history.hpp"
#include "r2/transport/transport_pool.hpp"

namespace r2::inline v0_2::detail {

/// Drives one execution on the calling thread, which blocks.
class driver final : public attempt_source {
public:
    /// `call`, if set, is called in place of sending.
    driver(std::shared_ptr<transport_pool> pool, request&& q, options&& o, std::function<attempt()> call = {})
        : pool_(std::move(pool)), request_(std::move(q)), options_(std::move(o)), call_(std::move(call)) {}

    attempt* next() override {
        if (reason_ != ended::not_yet) return nullptr;
        bool made = true;
        try {
            if (!run_) begin();
            made = run_->lease ? make_next() : fail_without_transport();
        } catch (...) {
            keep_thrown_attempt();
            end(ended::threw);
            throw;
        }
        if (reason_ != ended::not_yet) end(reason_);
        return made ? &*current_ : nullptr;
    }

    ended reason() const noexcept override { return reason_; }
    std::string summary() const override { return history_.summary(reason_); }

    attempt last() override {
        if (!current_)
            current_ =
                std::make_unique<attempt>(error(errc::local, "a callable threw before the first attempt was over"));
        if (current_->is_last()) return std::move(*current_);
        attempt_notes& notes = current_->notes();
        notes.ended = reason_;
        notes.wait = {};
        notes.wait_from = wait_source::none;
        return std::move(*current_);
    }

private:
    /// From the first pull to the end.
    struct run {
        explicit run(driver& d) : lease(d.pool_) {}

        void begin(driver& d) {
            transport& t = *lease;
            began = t.now();
            execution.emplace(execution_context{t, d.pool_->latencies(), d.request_, d.options_}, began);
            on_stop.emplace(d.options_.stop, waker{&t});
        }

        transport_lease lease;
        time_point began = {};
        std::optional<detail::execution> execution;
        std::optional<std::stop_callback<waker>> on_stop;  // last, so that no wake comes once the rest is destroyed
    };

    void begin() {
        run_.emplace(*this);
        if (run_->lease) run_->begin(*this);
    }

    /// Gives the transport back.
    void end(ended why) {
        reason_ = why;
        run_.reset();
    }

    /// Returns false if the range ends without another attempt.
    bool make_next() {
        execution& e = *run_->execution;
        const bool is_first = e.number() == 0;
        if ((!is_first || e.admit_first()) && wait_until_due() && e.prepare()) {
            current_ = make();
            note_made();
            return true;
        }
        reason_ = e.reason();
        history_.lasted(since_begin());
        if (!is_first) {
            e.cancel();
            return false;
        }
        current_ = e.make_stand_in();
        note_made();
        return true;
    }

    bool wait_until_due() {
        execution& e = *run_->execution;
        transport& t = *run_->lease;
        while (e.can_go_on()) {
            const time_point turn = e.due();
            if (turn == time_point::min() || t.now() >= turn) return true;
            t.wait_until(turn);
        }
        return false;
    }

    std::unique_ptr<attempt> make() {
        execution& e = *run_->execution;
        transport& t = *run_->lease;
        std::unique_ptr<attempt> over = call_ ? e.complete_unsent(call_) : e.start();
        while (!over) {
            const time_point timer = e.next_timer();
            if (timer != never && t.now() >= timer)
                over = e.on_timer();
            else if (const auto complete = t.wait_until(timer))
                over = e.on_completion(*complete);
        }
        return over;
    }

    /// Makes an attempt with an error, as the pool has no transport.
    bool fail_without_transport() {
        current_ = std::make_unique<attempt>(no_transport());
        note_made();
        if (options_.on_attempt) options_.on_attempt(request_, *current_);
        return true;
    }

    void note_made() {
        reason_ = current_->ended();
        history_.add(*current_, since_begin());
    }

    /// Keeps the attempt whose outcome had arrived when a callable threw.
    void keep_thrown_attempt() noexcept {
        if (!run_ || !run_->execution) return;
        std::unique_ptr<attempt> a = run_->execution->thrown_attempt();
        if (!a) return;
        current_ = std::move(a);
        try {
            history_.add(*current_, since_begin());
        } catch (...) {  // out of memory: the summary lacks it
        }
    }

    duration since_begin() { return run_->lease ? run_->lease->now() - run_->began : duration{}; }

    std::shared_ptr<transport_pool> pool_;
    request request_;
    options options_;
    std::function<attempt()> call_;
    std::unique_ptr<attempt> current_;
    ended reason_ = ended::not_yet;
    detail::history history_;
    std::optional<run> run_;  // refers to what is above
};

}  // namespace r2::inline v0_2::detail
