#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/words/binding.hpp"
#include "r2/words/error.hpp"
#include "r2/words/hedged_copy.hpp"
#include "r2/words/response.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// The one reason for which a range ended.
enum class ended {
    not_yet,               ///< It goes on.
    succeeded,             ///< A status below 400, and no `terminate_if`.
    condition_met,         ///< `terminate_if` held.
    not_retryable,         ///< A failure, and `retry_if` didn't hold.
    exhausted,             ///< That was attempt `max_attempts`.
    deadline,              ///< The next attempt would begin past `deadline`.
    stopped,               ///< `stop` was requested.
    refused,               ///< A guard said no.
    retry_after_too_long,  ///< The server asked for a wait over `retry_after.max`.
    unsafe_to_replay,      ///< It may have been processed, isn't idempotent, and `replay` is `when_safe`.
    threw,                 ///< One of the user's own callables threw.
};

/// Who asked for a wait.
enum class wait_source { none, backoff, interval, retry_after, guard };

constexpr std::string_view to_string(ended e) noexcept {
    constexpr std::string_view names[] = {
        "not_yet", "succeeded", "condition_met",        "not_retryable",    "exhausted", "deadline",
        "stopped", "refused",   "retry_after_too_long", "unsafe_to_replay", "threw"};
    return names[static_cast<std::size_t>(e)];
}

constexpr std::string_view to_string(wait_source s) noexcept {
    constexpr std::string_view names[] = {"none", "backoff", "interval", "retry_after", "guard"};
    return names[static_cast<std::size_t>(s)];
}

namespace detail {

/// The facts about an attempt beside its outcome.
struct attempt_notes {
    int number = 1;
    int sends = 0;
    duration elapsed = {};
    r2::ended ended = r2::ended::not_yet;
    duration wait = {};
    r2::wait_source wait_from = r2::wait_source::none;
    std::string refusal = {};
    std::vector<hedged_copy> copies = {};
};

}  // namespace detail

/// One attempt: its response or its error, and the decision that followed. Binds as `auto&& [res, err] = a;`.
class attempt {
public:
    explicit attempt(r2::response&& res, int sends = 0) : response_(std::move(res)) { notes_.sends = sends; }
    explicit attempt(const r2::response& res) : response_(res) {}
    explicit attempt(r2::error err, int sends = 0)
        : error_(err ? std::move(err) : r2::error(errc::local, "an attempt of neither response nor error")) {
        notes_.sends = sends;
    }

    /// For r2 itself: this outcome with these notes.
    attempt(attempt&& outcome, detail::attempt_notes notes)
        : response_(std::move(outcome.response_)), error_(std::move(outcome.error_)), notes_(std::move(notes)) {}
    const detail::attempt_notes& notes() const noexcept { return notes_; }

    /// Null where the attempt got none. Lives as long as the attempt; moving out of it is allowed.
    r2::response* response() noexcept { return response_ ? &*response_ : nullptr; }
    const r2::response* response() const noexcept { return response_ ? &*response_ : nullptr; }

    /// False where the attempt got a response.
    const r2::error& error() const noexcept { return error_; }

    /// From 1.
    int number() const noexcept { return notes_.number; }

    /// Requests really put on the wire, redirect hops and hedged copies included; 0 where none was.
    int sends() const noexcept { return notes_.sends; }

    /// The copies of a hedged attempt that were sent, the original first; else empty.
    const std::vector<hedged_copy>& copies() const noexcept { return notes_.copies; }

    /// From its start to its outcome. The waits before and after don't count.
    duration elapsed() const noexcept { return notes_.elapsed; }

    /// Whether no other attempt follows, as of the decision. A stop may still come during the wait.
    bool is_last() const noexcept { return notes_.ended != r2::ended::not_yet; }
    r2::ended ended() const noexcept { return notes_.ended; }

    /// The sleep that follows, from the decision on; 0 on the last.
    duration wait() const noexcept { return notes_.wait; }
    r2::wait_source wait_from() const noexcept { return notes_.wait_from; }

    /// The reason that a guard gave for its refusal; else empty. Lives as long as the attempt.
    const std::string& refusal() const noexcept { return notes_.refusal; }

    static constexpr std::size_t binding_size = 2;
    template <std::size_t I> decltype(auto) get() noexcept { return part<I>(*this); }
    template <std::size_t I> decltype(auto) get() const noexcept { return part<I>(*this); }

private:
    template <std::size_t I, class Self> static decltype(auto) part(Self& self) noexcept {
        static_assert(I < binding_size, "an attempt binds two: [res, err]");
        if constexpr (I == 0)
            return self.response();
        else
            return self.error();
    }

    std::optional<r2::response> response_;
    r2::error error_;
    detail::attempt_notes notes_;
};

}  // namespace r2::inline v0_2
