#pragma once

#include <chrono>

#include "r2/machine/asked_waits.hpp"
#include "r2/machine/classification.hpp"
#include "r2/machine/decide.hpp"
#include "r2/machine/machine.hpp"

namespace r2::inline v0_2 {

R2_INLINE decision decide(const options& o, const outcome& what, const moment& at) {
    const attempt& a = what.attempt();
    if (a.number() != at.number) return decide(o, what.numbered(at.number), at);  // predicates may ask for it
    request q{.method = at.method};
    detail::put_over(q, o);
    const detail::classification c = detail::classify(o, a, a.error() == errc::stopped);
    detail::asked_waits waits(
        o, a, [&at] { return at.wall_now.value_or(std::chrono::system_clock::now()); },
        [] { return std::optional(duration{}); });
    constexpr time_point began{};
    return detail::machine(detail::limits_of(o, began), at.previous_wait)
        .decide(detail::facts_of(q, a, at.stop_requested), c, detail::later(began, at.elapsed), at.chance, waits);
}

}  // namespace r2::inline v0_2
