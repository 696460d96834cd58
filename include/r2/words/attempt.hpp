#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "r2/words/binding.hpp"
#include "r2/words/error.hpp"
#include "r2/words/hedged_copy.hpp"
#include "r2/words/print.hpp"
#include "r2/words/response.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// The reason for the end of a range.
enum class ended {
    not_yet,               ///< The range goes on.
    succeeded,             ///< The status was below 400, without a `terminate_if`.
    condition_met,         ///< `terminate_if` was true.
    not_retryable,         ///< The attempt failed, and `retry_if` was false.
    exhausted,             ///< This was attempt `max_attempts`.
    deadline,              ///< The next attempt would start past `deadline`.
    stopped,               ///< `stop` was requested.
    refused,               ///< A guard refused the next attempt.
    retry_after_too_long,  ///< The server asked for a wait over `retry_after.max`.
    unsafe_to_replay,      ///< The request may have been processed, isn't idempotent, and `replay` is `when_safe`.
    threw,                 ///< A callable of the user threw.
};

/// The party that asked for a wait.
enum class wait_source { none, backoff, interval, retry_after, guard };

constexpr std::string_view to_string(ended e) noexcept {
    switch (e) {
        case ended::not_yet:
            return "not_yet";
        case ended::succeeded:
            return "succeeded";
        case ended::condition_met:
            return "condition_met";
        case ended::not_retryable:
            return "not_retryable";
        case ended::exhausted:
            return "exhausted";
        case ended::deadline:
            return "deadline";
        case ended::stopped:
            return "stopped";
        case ended::refused:
            return "refused";
        case ended::retry_after_too_long:
            return "retry_after_too_long";
        case ended::unsafe_to_replay:
            return "unsafe_to_replay";
        case ended::threw:
            return "threw";
    }
    return "unknown";
}

constexpr std::string_view to_string(wait_source s) noexcept {
    switch (s) {
        case wait_source::none:
            return "none";
        case wait_source::backoff:
            return "backoff";
        case wait_source::interval:
            return "interval";
        case wait_source::retry_after:
            return "retry_after";
        case wait_source::guard:
            return "guard";
    }
    return "unknown";
}

namespace detail {

/// The decision on an attempt, and its counts and times.
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

/// One attempt: its response or its error, and the decision on it. Binds as `auto&& [res, err] = a;`.
class attempt {
public:
    /// Makes an attempt, to test a predicate.
    explicit attempt(r2::response&& res, int sends = 0) : response_(std::move(res)) { notes_.sends = sends; }
    explicit attempt(const r2::response& res) : response_(res) {}
    explicit attempt(r2::error err, int sends = 0)
        : error_(err ? std::move(err) : r2::error(errc::local, "an attempt was made from an unset error")) {
        notes_.sends = sends;
    }

    /// Internal: the functions below read it.
    detail::attempt_notes& notes() noexcept { return notes_; }
    const detail::attempt_notes& notes() const noexcept { return notes_; }

    /// Returns the response, or null if there was none. Lives as long as the attempt; may be moved from.
    r2::response* response() noexcept { return response_ ? &*response_ : nullptr; }
    const r2::response* response() const noexcept { return response_ ? &*response_ : nullptr; }

    /// Returns the error; false if the attempt got a response.
    const r2::error& error() const noexcept { return error_; }

    /// Returns the number of the attempt, from 1.
    int number() const noexcept { return notes_.number; }

    /// Returns how many requests went out on the wire, redirect hops and hedged copies included.
    int sends() const noexcept { return notes_.sends; }

    /// Returns the copies of a hedged attempt that went out, the original first; empty if the attempt wasn't hedged.
    const std::vector<hedged_copy>& copies() const noexcept { return notes_.copies; }

    /// Returns the time from the start to the outcome, without the waits before and after.
    duration elapsed() const noexcept { return notes_.elapsed; }

    /// Whether the decision was to end. A stop during the wait may still end the range after an attempt that isn't
    /// last.
    bool is_last() const noexcept { return notes_.ended != r2::ended::not_yet; }
    r2::ended ended() const noexcept { return notes_.ended; }

    /// Returns the wait that follows, counted from the decision; 0 on the last attempt.
    duration wait() const noexcept { return notes_.wait; }
    r2::wait_source wait_from() const noexcept { return notes_.wait_from; }

    /// Returns the reason of the guard that refused; else empty. Lives as long as the attempt.
    const std::string& refusal() const noexcept { return notes_.refusal; }

    using r2_binding = std::integral_constant<std::size_t, 2>;
    template <std::size_t I> decltype(auto) get() noexcept { return part<I>(*this); }
    template <std::size_t I> decltype(auto) get() const noexcept { return part<I>(*this); }

private:
    template <std::size_t I, class Self> static decltype(auto) part(Self& self) noexcept {
        static_assert(I < r2_binding::value, "an attempt binds to two names: [res, err]");
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
