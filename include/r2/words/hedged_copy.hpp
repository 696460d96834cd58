#pragma once

#include <cstddef>
#include <string_view>

#include "r2/words/error.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// What became of one copy of a hedged attempt's request, the original included.
struct hedged_copy {
    enum class fate {
        won,     ///< Its outcome is the attempt's.
        failed,  ///< In a way that may pass, or for a lack of this machine: the others went on.
        lost,    ///< Another answered first, or a stop or a limit came.
    };

    duration started = {};  ///< After the attempt did.
    duration elapsed = {};  ///< From then to its outcome, or to the end of the attempt.
    int status = 0;         ///< 0: it got no response.
    r2::error error = {};   ///< Why it got none; false where it got one.
    int sends = 0;          ///< Requests put on the wire, redirect hops included.
    fate became = fate::lost;
};

constexpr std::string_view to_string(hedged_copy::fate f) noexcept {
    constexpr std::string_view names[] = {"won", "failed", "lost"};
    return names[static_cast<std::size_t>(f)];
}

}  // namespace r2::inline v0_2
