#pragma once

#include <cstddef>

#include "r2/config.hpp"

namespace r2::inline v0_2 {

/// The progress of an `all`, as of the last pull.
struct progress {
    std::size_t read = 0;       ///< Requests read from the user's range.
    std::size_t in_flight = 0;  ///< Of those read: with an attempt in flight.
    std::size_t waiting = 0;    ///< Of those read: waiting for their time or their turn.
    std::size_t done = 0;       ///< Of those read: with the last attempt yielded.
    std::size_t attempts = 0;   ///< Attempts yielded.
    bool all_read = false;      ///< Whether no requests are left to read.
};

}  // namespace r2::inline v0_2
