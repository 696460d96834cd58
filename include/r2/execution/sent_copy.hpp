#pragma once

#include "r2/execution/execution_context.hpp"
#include "r2/execution/guard_chain.hpp"
#include "r2/transport/transport.hpp"
#include "r2/words/hedged_copy.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

/// One copy of an attempt's request on the wire. As a ticket it names the transfer.
struct sent_copy : ticket {
    guard_chain* guards = nullptr;  ///< Those that admitted it.
    hedged_copy report = {};
    bool in_flight = false;
    bool guards_to_tell = false;  ///< It was cut, and isn't recorded with its guards yet.
};

/// A further copy, with an admission of its own. A guard knows an admission by the address of its request.
struct further_copy : sent_copy {
    explicit further_copy(const execution_context& c)
        : request(c.request), own_guards(c.options.guards, request, c.transport) {
        guards = &own_guards;
    }

    r2::request request;
    guard_chain own_guards;
};

}  // namespace r2::inline v0_2::detail
