#pragma once

#include "r2/transport/transport.hpp"

namespace r2::inline v0_2::detail {

/// Ends the wait of a transport. For a stop_callback.
struct waker {
    transport* sleeper;
    void operator()() const noexcept { sleeper->wake(); }
};

}  // namespace r2::inline v0_2::detail
