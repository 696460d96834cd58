#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Reads a text from left to right. Each member returns whether the text went on as asked, and skips that part.
class date_reader {
public:
    constexpr explicit date_reader(std::string_view text) noexcept : text_(text) {}

    constexpr bool literal(std::string_view expected) noexcept {
        if (!text_.starts_with(expected)) return false;
        text_.remove_prefix(expected.size());
        return true;
    }

    /// Reads one of `names`; `position` is its index.
    template <std::size_t N> constexpr bool one_of(const std::string_view (&names)[N], unsigned& position) noexcept {
        position = 0;
        for (const std::string_view name : names) {
            if (literal(name)) return true;
            ++position;
        }
        return false;
    }

    /// Reads exactly this many digits.
    constexpr bool digits(int count, int& value) noexcept {
        value = 0;
        for (; count > 0; --count) {
            if (text_.empty() || text_.front() < '0' || text_.front() > '9') return false;
            value = value * 10 + (text_.front() - '0');
            text_.remove_prefix(1);
        }
        return true;
    }

    constexpr bool end() const noexcept { return text_.empty(); }

private:
    std::string_view text_;
};

inline constexpr std::string_view day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
inline constexpr std::string_view long_day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                      "Thursday", "Friday", "Saturday"};
inline constexpr std::string_view month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Parses an HTTP-date in any of its three forms (RFC 9110, 5.6.7). Refuses any other text, a day that doesn't exist,
/// and a wrong day of the week. A year of two digits is at most 50 years after `now`.
constexpr std::optional<wall_time> parse_http_date(std::string_view text, wall_time now) noexcept {
    using namespace std::chrono;
    int day{}, year{}, hour{}, minute{}, second{};
    unsigned weekday{}, month{};

    const auto time = [&](date_reader& in) {
        return in.digits(2, hour) && in.literal(":") && in.digits(2, minute) && in.literal(":") && in.digits(2, second);
    };
    const auto imf = [&](date_reader in) {  // Sun, 06 Nov 1994 08:49:37 GMT
        return in.one_of(day_names, weekday) && in.literal(", ") && in.digits(2, day) && in.literal(" ") &&
               in.one_of(month_names, month) && in.literal(" ") && in.digits(4, year) && in.literal(" ") && time(in) &&
               in.literal(" GMT") && in.end();
    };
    const auto rfc850 = [&](date_reader in) {  // Sunday, 06-Nov-94 08:49:37 GMT
        if (!(in.one_of(long_day_names, weekday) && in.literal(", ") && in.digits(2, day) && in.literal("-") &&
              in.one_of(month_names, month) && in.literal("-") && in.digits(2, year) && in.literal(" ") && time(in) &&
              in.literal(" GMT") && in.end()))
            return false;
        const int first = static_cast<int>(year_month_day(floor<days>(now)).year()) - 49;
        year = first + ((year - first) % 100 + 100) % 100;  // the match among the 100 years from `first`
        return true;
    };
    const auto asctime = [&](date_reader in) {  // Sun Nov  6 08:49:37 1994
        return in.one_of(day_names, weekday) && in.literal(" ") && in.one_of(month_names, month) && in.literal(" ") &&
               (in.literal(" ") ? in.digits(1, day) : in.digits(2, day)) && in.literal(" ") && time(in) &&
               in.literal(" ") && in.digits(4, year) && in.end();
    };

    const date_reader in(text);
    if (!imf(in) && !rfc850(in) && !asctime(in)) return std::nullopt;
    const year_month_day date(std::chrono::year(year), std::chrono::month(month + 1),
                              std::chrono::day(static_cast<unsigned>(day)));
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
    const sys_days midnight(date);
    if (std::chrono::weekday(midnight).c_encoding() != weekday) return std::nullopt;

    // 64 bits of nanoseconds end in 2262: a later date becomes the last moment, and an early one the first.
    const sys_seconds moment = midnight + hours(hour) + minutes(minute) + seconds(second);
    if (moment > floor<seconds>(wall_time::max())) return wall_time::max();
    if (moment < ceil<seconds>(wall_time::min())) return wall_time::min();
    return moment;
}

}  // namespace detail

}  // namespace r2::inline v0_2
