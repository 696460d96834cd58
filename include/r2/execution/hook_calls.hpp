#pragma once

#include <memory>
#include <utility>

#include "r2/execution/execution_context.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"
#include "r2/words/response.hpp"

namespace r2::inline v0_2::detail {

/// Calls the user's hooks for an execution. Holds the request as `before_attempt` left it, and the response that it
/// gave in place of sending.
class hook_calls {
public:
    /// Keep the context alive.
    explicit hook_calls(const execution_context& c) : context_(c) {}

    /// The request of the present attempt.
    const request& sent_request() const noexcept { return own_ ? *own_ : context_.request; }

    /// Calls `before_attempt` with a new copy of the request. Returns whether it gave a response.
    bool before(int number) {
        if (!context_.options.before_attempt) return false;
        own_ = std::make_unique<request>(context_.request);
        if (auto given = context_.options.before_attempt(*own_, number))
            response_ = std::make_unique<response>(std::move(*given));
        return response_ != nullptr;
    }

    /// Takes the response that `before_attempt` gave; null where it gave none.
    std::unique_ptr<response> take_response() noexcept { return std::move(response_); }

    /// Calls `after_attempt`, which may put another outcome in the place of this one, but not other notes.
    void after(attempt& outcome) const {
        if (!context_.options.after_attempt) return;
        attempt_notes notes = outcome.notes();
        context_.options.after_attempt(sent_request(), outcome);
        outcome.notes() = std::move(notes);
    }

    /// Calls `on_attempt`.
    void on(const attempt& a) const {
        if (context_.options.on_attempt) context_.options.on_attempt(sent_request(), a);
    }

    /// The next attempt has no copy of its own: it is never made.
    void forget_copy() noexcept { own_.reset(); }

private:
    const execution_context& context_;
    std::unique_ptr<request> own_;
    std::unique_ptr<response> response_;
};

}  // namespace r2::inline v0_2::detail
