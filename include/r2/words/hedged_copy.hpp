#pragma once

#include <string_view>

#include "r2/words/error.hpp"
#include "r2/words/print.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// The outcome of one copy of a hedged attempt's request. The original is a copy too.
struct hedged_copy {
    enum class fate {
        won,     ///< It decided the attempt.
        failed,  ///< Its failure left the attempt to the other copies, and counts only if none did better.
        lost,    ///< It was cut: another copy won, or a stop or a limit came.
    };

    duration started = {};  ///< Counted from the attempt's start.
    duration elapsed = {};  ///< From `started` to its outcome, or to the end of the attempt.
    int status = 0;         ///< 0: no response.
    r2::error error = {};   ///< False if there was a response.
    int sends = 0;          ///< Requests that went out on the wire, redirect hops included.
    fate became = fate::lost;
};

constexpr std::string_view to_string(hedged_copy::fate f) noexcept {
    switch (f) {
        case hedged_copy::fate::won:
            return "won";
        case hedged_copy::fate::failed:
            return "failed";
        case hedged_copy::fate::lost:
            return "lost";
    }
    return "unknown";
}

}  // namespace r2::inline v0_2
