#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "r2/policy/http_date.hpp"
#include "r2/policy/retry_after.hpp"
#include "r2/words/headers.hpp"
#include "r2/words/response.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Calls f with each part of a list, trimmed; a separator within quotes doesn't count.
template <class F> constexpr void for_each_part(std::string_view list, char separator, F f) {
    bool quoted = false;
    for (std::size_t i = 0, begin = 0; i <= list.size(); ++i) {
        if (i < list.size() && list[i] == '"') quoted = !quoted;
        if (i < list.size() && (quoted || list[i] != separator)) continue;
        std::string_view part = list.substr(begin, i - begin);
        while (part.starts_with(' ') || part.starts_with('\t')) part.remove_prefix(1);
        while (part.ends_with(' ') || part.ends_with('\t')) part.remove_suffix(1);
        if (!part.empty()) f(part);
        begin = i + 1;
    }
}

/// What is left of a quota, and until when. Of several, the one that is used up and lasts longest counts.
struct quota {
    std::optional<duration> left;  // in nanoseconds: a count, for which the same digits serve
    std::optional<duration> reset;

    constexpr void set(std::string_view parameter, std::string_view left_name, std::string_view reset_name) noexcept {
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos) return;
        const std::string_view name = parameter.substr(0, equals), value = parameter.substr(equals + 1);
        if (name == left_name) left = parse_digits(value, duration(1));
        if (name == reset_name) reset = parse_digits(value, std::chrono::seconds(1));
    }
    constexpr bool used_up() const noexcept { return left == duration{}; }
};

/// The window of the policy of that name: `"name";q=100;w=60`.
constexpr std::optional<duration> window_of(std::string_view policies, std::string_view name) {
    std::optional<duration> window;
    for_each_part(policies, ',', [&](std::string_view policy) {
        quota q;
        std::string_view own_name;
        for_each_part(policy, ';', [&](std::string_view part) {
            if (own_name.empty()) own_name = part;
            q.set(part, "q", "w");
        });
        if (own_name == name) window = q.reset;
    });
    return window;
}

}  // namespace detail

/// How long nothing is left, as `RateLimit` says it: `"name";r=0;t=30` with the window of `RateLimit-Policy` for a `t`
/// that is missing (draft-ietf-httpapi-ratelimit-headers-10), or `limit=10, remaining=0, reset=30` (-07). Nothing where
/// something is left.
constexpr std::optional<duration> parse_rate_limit(std::string_view value, std::string_view policies) {
    std::optional<duration> wait;
    detail::quota in_members;
    detail::for_each_part(value, ',', [&](std::string_view member) {
        in_members.set(member, "remaining", "reset");
        detail::quota q;
        std::string_view name;
        detail::for_each_part(member, ';', [&](std::string_view part) {
            if (name.empty()) name = part;
            q.set(part, "r", "t");
        });
        if (!q.used_up()) return;
        if (!q.reset) q.reset = detail::window_of(policies, name);
        wait = std::max(wait, q.reset);
    });
    return in_members.used_up() ? std::max(wait, in_members.reset) : wait;
}

/// A reset in seconds from now, or, from a billion on, as seconds or milliseconds since 1970; what is past is 0.
constexpr std::optional<duration> parse_reset(std::string_view value, wall_time now) noexcept {
    using namespace std::chrono;
    const auto number = detail::parse_digits(value, duration(1));
    if (!number) return std::nullopt;
    const auto n = number->count();
    if (n < 1'000'000'000) return seconds(n);
    const duration since_1970 =
        n < 100'000'000'000 ? *detail::parse_digits(value, seconds(1)) : *detail::parse_digits(value, milliseconds(1));
    return detail::between(now, wall_time(since_1970));
}

/// The wait that a response asks for: the first of its Retry-After (RFC 9110, 10.2.3), `retry-after-ms`,
/// `x-ms-retry-after-ms`; then, where they say that nothing is left, `RateLimit`, `RateLimit-Reset` and
/// `X-RateLimit-Reset`, the last two also in a 429 that doesn't say what is left. One that is 0 or past asks for no
/// wait, and one that is malformed for nothing; a Retry-After is never overruled, whatever it says.
inline std::optional<duration> server_wait(const response& res, wall_time now) {
    const auto field = [&](std::string_view name) { return res.headers.get(name); };
    if (field("Retry-After")) return retry_after(res, now);
    const auto some = [](duration d) { return d > duration{} ? std::optional(d) : std::nullopt; };
    for (const std::string_view name : {"retry-after-ms", "x-ms-retry-after-ms"})
        if (const auto value = field(name))
            if (const auto wait = detail::parse_digits(*value, std::chrono::milliseconds(1))) return some(*wait);

    if (const auto value = field("RateLimit"))
        if (const auto wait = parse_rate_limit(*value, field("RateLimit-Policy").value_or(""))) return some(*wait);

    struct pair {
        std::string_view remaining, reset;
    };
    for (const auto& [remaining, reset] :
         {pair{"RateLimit-Remaining", "RateLimit-Reset"}, pair{"X-RateLimit-Remaining", "X-RateLimit-Reset"}}) {
        const auto left = field(remaining);
        const bool used_up = left ? detail::parse_digits(*left, duration(1)) == duration{} : res.status == 429;
        if (const auto value = used_up ? field(reset) : std::nullopt)
            if (const auto wait = parse_reset(*value, parse_http_date(field("Date").value_or(""), now).value_or(now)))
                return some(*wait);
    }
    return std::nullopt;
}

/// `wait`, or up to 5 s more where `x-amz-retry-after` (milliseconds, of AWS) asks for that.
inline duration at_least_as_amazon_asks(const response& res, duration wait) {
    const auto value = res.headers.get("x-amz-retry-after");
    const auto asked = value ? detail::parse_digits(*value, std::chrono::milliseconds(1)) : std::nullopt;
    const std::chrono::seconds more(5);
    return std::clamp(asked.value_or(wait), wait, std::min(wait, duration::max() - more) + more);
}

}  // namespace r2::inline v0_2
