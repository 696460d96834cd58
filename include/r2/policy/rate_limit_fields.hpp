#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "r2/policy/http_date.hpp"
#include "r2/policy/retry_after.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Calls `f` with each part of a list, trimmed. A separator within quotes is part of its part.
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

/// What a quota has left, and the time until it is full again.
struct quota {
    std::optional<duration> left;  // a count, parsed as nanoseconds
    std::optional<duration> reset;

    constexpr void set(std::string_view parameter, std::string_view left_name, std::string_view reset_name) noexcept {
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos) return;
        const std::string_view name = parameter.substr(0, equals);
        const std::string_view value = parameter.substr(equals + 1);
        if (name == left_name) left = parse_digits(value, duration(1));
        if (name == reset_name) reset = parse_digits(value, std::chrono::seconds(1));
    }
    constexpr bool used_up() const noexcept { return left == duration{}; }
};

/// Returns the window of the policy of this name: 60 s for `"name";q=100;w=60`.
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

/// Returns the time until a used-up quota is full again, the longest of several; nothing if no quota is used up. Reads
/// both forms of `RateLimit`: `"name";r=0;t=30` (draft-ietf-httpapi-ratelimit-headers-10), where a missing `t` is the
/// window in `RateLimit-Policy`, and `limit=10, remaining=0, reset=30` (-07).
constexpr std::optional<duration> parse_rate_limit(std::string_view value, std::string_view policies) {
    std::optional<duration> wait;
    quota in_members;
    for_each_part(value, ',', [&](std::string_view member) {
        in_members.set(member, "remaining", "reset");
        quota q;
        std::string_view name;
        for_each_part(member, ';', [&](std::string_view part) {
            if (name.empty()) name = part;
            q.set(part, "r", "t");
        });
        if (!q.used_up()) return;
        if (!q.reset) q.reset = window_of(policies, name);
        wait = std::max(wait, q.reset);
    });
    return in_members.used_up() ? std::max(wait, in_members.reset) : wait;
}

/// Returns the time until a reset; 0 if it is past. The number is seconds from now below 10⁹, seconds since 1970 below
/// 10¹¹, else milliseconds since 1970.
constexpr std::optional<duration> parse_reset(std::string_view value, wall_time now) noexcept {
    const std::chrono::seconds second(1);
    const auto number = parse_digits(value, duration(1));
    if (!number) return std::nullopt;
    const auto n = number->count();
    if (n < 1'000'000'000) return n * second;
    const duration since_1970 = *parse_digits(value, n < 100'000'000'000 ? second : std::chrono::milliseconds(1));
    return between(now, wall_time(since_1970));
}

}  // namespace r2::inline v0_2::detail
