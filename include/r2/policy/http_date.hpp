#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace r2::inline v0_2 {

/// A moment by the calendar, as HTTP's dates and the machine's clock on the wall tell it.
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

namespace detail {

/// Reads a text from left to right; each step says whether it was there.
class date_reader {
public:
    constexpr explicit date_reader(std::string_view text) noexcept : text_(text) {}

    constexpr bool literal(std::string_view expected) noexcept {
        if (!text_.starts_with(expected)) return false;
        text_.remove_prefix(expected.size());
        return true;
    }

    /// One of `names`, as its position.
    template <std::size_t N> constexpr bool one_of(const std::string_view (&names)[N], unsigned& position) noexcept {
        position = 0;
        for (const std::string_view name : names) {
            if (literal(name)) return true;
            ++position;
        }
        return false;
    }

    /// Just this many digits.
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

}  // namespace detail

/// The moment that an HTTP-date names (RFC 9110, 5.6.7), in any of its three forms; nothing for any other text, a day
/// that doesn't exist, or a wrong day of the week. `now` settles a year of two digits: at most 50 years ahead.
constexpr std::optional<wall_time> parse_http_date(std::string_view text, wall_time now) noexcept {
    using namespace std::chrono;
    int day{}, year{}, hour{}, minute{}, second{};
    unsigned weekday{}, month{};

    const auto time = [&](detail::date_reader& in) {
        return in.digits(2, hour) && in.literal(":") && in.digits(2, minute) && in.literal(":") && in.digits(2, second);
    };
    const auto imf = [&](detail::date_reader in) {  // Sun, 06 Nov 1994 08:49:37 GMT
        return in.one_of(detail::day_names, weekday) && in.literal(", ") && in.digits(2, day) && in.literal(" ") &&
               in.one_of(detail::month_names, month) && in.literal(" ") && in.digits(4, year) && in.literal(" ") &&
               time(in) && in.literal(" GMT") && in.end();
    };
    const auto rfc850 = [&](detail::date_reader in) {  // Sunday, 06-Nov-94 08:49:37 GMT
        if (!(in.one_of(detail::long_day_names, weekday) && in.literal(", ") && in.digits(2, day) && in.literal("-") &&
              in.one_of(detail::month_names, month) && in.literal("-") && in.digits(2, year) && in.literal(" ") &&
              time(in) && in.literal(" GMT") && in.end()))
            return false;
        const int first = static_cast<int>(year_month_day(floor<days>(now)).year()) - 49;
        year = first + ((year - first) % 100 + 100) % 100;  // the one of the 100 from there on
        return true;
    };
    const auto asctime = [&](detail::date_reader in) {  // Sun Nov  6 08:49:37 1994
        return in.one_of(detail::day_names, weekday) && in.literal(" ") && in.one_of(detail::month_names, month) &&
               in.literal(" ") && (in.literal(" ") ? in.digits(1, day) : in.digits(2, day)) && in.literal(" ") &&
               time(in) && in.literal(" ") && in.digits(4, year) && in.end();
    };

    const detail::date_reader in(text);
    if (!imf(in) && !rfc850(in) && !asctime(in)) return std::nullopt;
    const year_month_day date(std::chrono::year(year), std::chrono::month(month + 1),
                              std::chrono::day(static_cast<unsigned>(day)));
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
    const sys_days midnight(date);
    if (std::chrono::weekday(midnight).c_encoding() != weekday) return std::nullopt;

    // Beyond what 64 bits of nanoseconds hold, a date is as good as the last one they do.
    const sys_seconds moment = midnight + hours(hour) + minutes(minute) + seconds(second);
    if (moment > floor<seconds>(wall_time::max())) return wall_time::max();
    if (moment < ceil<seconds>(wall_time::min())) return wall_time::min();
    return moment;
}

}  // namespace r2::inline v0_2
