#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "r2/drivers/source.hpp"
#include "r2/policy/options.hpp"
#include "r2/ranges/failure_of.hpp"
#include "r2/ranges/pulled_range.hpp"
#include "r2/ranges/trial.hpp"
#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// A callable, and the result of its last call.
template <class F> struct calls {
    using result = std::invoke_result_t<F&>;

    F f;
    std::optional<stored<result>> last = {};
    bool unrecoverable = false;

    attempt operator()() {
        last.reset();
        unrecoverable = false;
        try {
            return call();
        } catch (const unrecoverable_base& e) {
            unrecoverable = true;
            return attempt(thrown(e.inner, false));
        } catch (const error& e) {
            return attempt(e);
        } catch (...) {
            return attempt(thrown(std::current_exception(), true));
        }
    }

private:
    attempt call() {
        if constexpr (std::is_void_v<result>) {
            f();
            last.emplace();
        } else {
            last.emplace(f());
            if constexpr (expected_like<stored<result>>) {
                if (!last->has_value()) {
                    unrecoverable = std::derived_from<std::decay_t<decltype(last->error())>, unrecoverable_base>;
                    return attempt(failure_of(last->error()));
                }
            }
        }
        return attempt(response{.status = 200});
    }
};

/// Removes the hooks and rules that don't apply to calls.
template <class F> options for_calls(options&& o, const calls<F>& c) {
    o.terminate_if = {};
    o.before_attempt = {};
    o.after_attempt = {};
    o.replay = replay::always;
    if (o.retry_if)
        o.retry_if = [&c, asked = std::move(o.retry_if)](const attempt& a) { return !c.unrecoverable && asked(a); };
    return std::move(o);
}

/// Joins each attempt with the result of its call.
template <class F> class trial_source : public source<trial<std::invoke_result_t<F&>>> {
    using element = trial<std::invoke_result_t<F&>>;

public:
    trial_source(std::unique_ptr<calls<F>> c, std::unique_ptr<attempt_source> attempts)
        : calls_(std::move(c)), attempts_(std::move(attempts)) {}

    element* next() override {
        const attempt* const a = attempts_->next();
        if (!a) return nullptr;
        return &current_.emplace(*a, std::exchange(calls_->last, std::nullopt));
    }
    ended reason() const noexcept { return attempts_->reason(); }
    std::string summary() const { return attempts_->summary(); }

    element last() {
        attempt a = attempts_->last();
        // If a callable threw since, the last call isn't the one that the loop saw last.
        if (calls_->last || !current_) return {std::move(a), std::exchange(calls_->last, std::nullopt)};
        return std::move(*current_).with(std::move(a));
    }

private:
    std::unique_ptr<calls<F>> calls_;
    std::unique_ptr<attempt_source> attempts_;  // refers to the calls
    std::optional<element> current_;
};

}  // namespace detail

/// The calls that `retry` makes: a single-pass range of `trial&`, which calls as it is pulled; otherwise as `attempts`.
template <class F>
class [[nodiscard("a range that is not pulled calls nothing: loop over it, or call finish()")]] retries
    : public detail::pulled_range<detail::trial_source<F>, trial<std::invoke_result_t<F&>>> {
    using result = trial<std::invoke_result_t<F&>>;
    using base = detail::pulled_range<detail::trial_source<F>, result>;

public:
    explicit retries(std::unique_ptr<detail::trial_source<F>> source) : base(std::move(source)) {}

    /// Returns the reason for the end; known from the last call on.
    r2::ended ended() const noexcept { return this->source() ? this->source()->reason() : r2::ended::not_yet; }

    /// Returns one line: see `attempts::summary`.
    std::string summary() const { return this->source() ? this->source()->summary() : "no attempt so far"; }

    /// Makes all calls that are left, and returns the last one. Blocks, waits included.
    result finish() {
        if (!this->source()) return {attempt(error(errc::invalid_request, "the range was moved from")), std::nullopt};
        this->run_to_end();
        return this->source()->last();
    }
};

}  // namespace r2::inline v0_2

template <class F> inline constexpr bool std::ranges::enable_view<r2::retries<F>> = true;
