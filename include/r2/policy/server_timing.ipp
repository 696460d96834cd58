#pragma once

#include <algorithm>
#include <chrono>
#include <string_view>

#include "r2/policy/rate_limit_fields.hpp"
#include "r2/policy/retry_after.hpp"
#include "r2/policy/server_timing.hpp"

namespace r2::inline v0_2::detail {

R2_INLINE std::optional<duration> server_wait(const response& res, wall_time now) {
    const auto field = [&](std::string_view name) { return res.headers.get(name); };
    if (field("Retry-After")) return retry_after(res, now);
    const auto some = [](duration d) { return d > duration{} ? std::optional(d) : std::nullopt; };
    for (const std::string_view name : {"retry-after-ms", "x-ms-retry-after-ms"})
        if (const auto value = field(name))
            if (const auto wait = parse_digits(*value, std::chrono::milliseconds(1))) return some(*wait);

    if (const auto value = field("RateLimit"))
        if (const auto wait = parse_rate_limit(*value, field("RateLimit-Policy").value_or(""))) return some(*wait);

    struct pair {
        std::string_view remaining, reset;
    };
    for (const auto& [remaining, reset] :
         {pair{"RateLimit-Remaining", "RateLimit-Reset"}, pair{"X-RateLimit-Remaining", "X-RateLimit-Reset"}}) {
        const auto left = field(remaining);
        const bool used_up = left ? parse_digits(*left, duration(1)) == duration{} : res.status == 429;
        if (const auto value = used_up ? field(reset) : std::nullopt)
            if (const auto wait = parse_reset(*value, parse_http_date(field("Date").value_or(""), now).value_or(now)))
                return some(*wait);
    }
    return std::nullopt;
}

R2_INLINE duration at_least_as_amazon_asks(const response& res, duration wait) {
    const auto value = res.headers.get("x-amz-retry-after");
    const auto asked = value ? parse_digits(*value, std::chrono::milliseconds(1)) : std::nullopt;
    const std::chrono::seconds more(5);
    return std::clamp(asked.value_or(wait), wait, std::min(wait, duration::max() - more) + more);
}

}  // namespace r2::inline v0_2::detail
