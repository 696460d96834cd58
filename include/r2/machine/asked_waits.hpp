#pragma once

#include <optional>
#include <utility>

#include "r2/policy/options.hpp"
#include "r2/policy/server_timing.hpp"
#include "r2/policy/throttled.hpp"
#include "r2/words/attempt.hpp"

namespace r2::inline v0_2::detail {

/// The waits that are asked for after an attempt with these options. `guards` returns the guards' longest wait, or
/// nothing if one refuses.
template <class WallNow, class Guards> class asked_waits {
public:
    asked_waits(const options& o, const attempt& a, WallNow wall_now, Guards guards)
        : options_(o), attempt_(a), wall_now_(std::move(wall_now)), guards_(std::move(guards)) {}

    /// As the server asked, whether or not the options honour that. A date counts from `wall_now`.
    std::optional<duration> retry_after() {
        return attempt_.response() ? server_wait(*attempt_.response(), wall_now_()) : std::nullopt;
    }

    duration backoff(int retry, duration previous, double u) const {
        const bool slower = options_.throttle_backoff && throttled(attempt_);
        const r2::backoff& growth = slower ? *options_.throttle_backoff : options_.backoff;
        const duration wait = options_.jitter.apply(growth.delay(retry), previous, u);
        const bool may_ask = attempt_.response() && options_.retry_after.honour;
        return may_ask ? at_least_as_amazon_asks(*attempt_.response(), wait) : wait;
    }

    std::optional<duration> guards() { return guards_(); }

private:
    const options& options_;
    const attempt& attempt_;
    WallNow wall_now_;
    Guards guards_;
};

}  // namespace r2::inline v0_2::detail
