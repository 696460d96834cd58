#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "r2/drivers/source.hpp"
#include "r2/ranges/pulled_range.hpp"
#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

class [[nodiscard("a range that is not pulled sends nothing: loop over it, or call finish()")]] attempts;

/// The attempts of one request: a single-pass range of `attempt&` that sends as it is pulled.
///
/// Comparing its iterator with the end, or dereferencing it, pulls: that waits, sends once, and blocks until the
/// outcome has arrived. `++` only marks that the next attempt is wanted. Exceptions of the user's own callables come
/// out of the pull, and end the range.
class attempts : public detail::pulled_range<detail::attempt_source, attempt> {
public:
    explicit attempts(std::unique_ptr<detail::attempt_source> source) : pulled_range(std::move(source)) {}

    /// Returns the reason for the end; known from the last attempt on.
    r2::ended ended() const noexcept { return source() ? source()->reason() : r2::ended::not_yet; }

    /// Makes all attempts that are left, and moves the last one out of the range. Blocks, waits included. If a stop or
    /// the deadline came during the wait after that attempt, its `ended()` is that.
    attempt finish() {
        if (!source()) return attempt(error(errc::invalid_request, "the range was moved from"));
        run_to_end();
        return source()->last();
    }

    /// Returns one line: "3 attempts in 4.2s: 503, 503, timeout after 1s; gave up: exhausted". The time counts from the
    /// first pull, waits included. Bounded, and holds no secrets. At any time.
    std::string summary() const { return source() ? source()->summary() : "no attempt so far"; }
};

}  // namespace r2::inline v0_2

// <string_view> declares this as <ranges> does, which takes much longer to compile.
template <> inline constexpr bool std::ranges::enable_view<r2::attempts> = true;
