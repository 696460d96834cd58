#pragma once

#include <utility>

#include "r2/words/attempt.hpp"
#include "r2/words/error.hpp"
#include "r2/words/response.hpp"

namespace r2::inline v0_2 {

/// A possible outcome of an attempt, for tests and `plan`: `503`, `errc::timeout`, a `response` or an `error`.
class outcome {
public:
    /// An empty response with this status.
    outcome(int status) : outcome(r2::response{.status = status}) {}

    /// An error of this kind, with `sent::maybe` if this kind usually occurs after a send.
    outcome(errc kind) : outcome(error(kind, {}, usually_sent(kind))) {}

    outcome(r2::response res) : attempt_(std::move(res), 1) {}
    outcome(const error& err) : attempt_(err, err.sent() == sent::maybe) {}
    outcome(r2::attempt a) : attempt_(std::move(a)) {}

    const r2::attempt& attempt() const& noexcept { return attempt_; }
    r2::attempt attempt() && { return std::move(attempt_); }

    /// Returns the outcome of attempt `number`, from 1.
    outcome numbered(int number) const {
        outcome copy = *this;
        copy.attempt_.notes().number = number;
        return copy;
    }

private:
    static constexpr r2::sent usually_sent(errc kind) noexcept {
        switch (kind) {
            case errc::timeout:
            case errc::disconnected:
            case errc::protocol:
            case errc::too_large:
            case errc::too_many_redirects:
            case errc::stopped:
                return sent::maybe;
            default:
                return sent::no;
        }
    }

    r2::attempt attempt_;
};

}  // namespace r2::inline v0_2
