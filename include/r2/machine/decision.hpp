#pragma once

#include "r2/words/attempt.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// Stop for this reason, or wait this long and go on.
struct decision {
    r2::ended ended = r2::ended::not_yet;
    duration wait = {};
    r2::wait_source wait_from = r2::wait_source::none;

    friend bool operator==(const decision&, const decision&) = default;
};

}  // namespace r2::inline v0_2
