/// HTTP dates. The C library and libcurl must agree with `parse_http_date`.
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <optional>

#include "input.hpp"
#include "r2/policy/http_date.hpp"

using namespace r2::fuzzing;
using namespace std::chrono;

namespace {

struct form {
    const char* read;
    const char* written;  // strptime is lax, so strftime must make the same text again
};

constexpr form forms[] = {{"%a, %d %b %Y %T GMT", "%a, %d %b %04Y %T GMT"},
                          {"%A, %d-%b-%y %T GMT", "%A, %d-%b-%y %T GMT"},
                          {"%a %b %d %T %Y", "%a %b %e %T %04Y"},
                          {"%a %b %d %T %Y", "%a %b %d %T %04Y"}};

std::optional<std::time_t> read(const std::string& text, const form& f, int this_year) {
    std::tm t = {};
    const char* end = ::strptime(text.c_str(), f.read, &t);
    if (!end || end != text.c_str() + text.size() || t.tm_sec > 60) return std::nullopt;
    if (std::string_view(f.read).find("%y") != std::string_view::npos) {
        const int years_ahead = (t.tm_year % 100 - this_year % 100 + 100) % 100;
        t.tm_year = this_year - 1900 + years_ahead - (years_ahead > 50 ? 100 : 0);
    }
    std::array<char, 64> written{};
    const std::size_t length = std::strftime(written.data(), written.size(), f.written, &t);
    if (text != std::string_view(written.data(), length)) return std::nullopt;

    std::tm day = t;
    day.tm_sec = 0;
    ::timegm(&day);
    if (day.tm_mday != t.tm_mday || day.tm_wday != t.tm_wday) return std::nullopt;
    return ::timegm(&t);
}

std::optional<r2::wall_time> expected(const std::string& text, r2::wall_time now) {
    const int this_year = static_cast<int>(year_month_day(floor<days>(now)).year());
    for (const form& f : forms)
        if (const auto found = read(text, f, this_year)) {
            if (*found > floor<seconds>(r2::wall_time::max()).time_since_epoch().count()) return r2::wall_time::max();
            if (*found < ceil<seconds>(r2::wall_time::min()).time_since_epoch().count()) return r2::wall_time::min();
            return r2::wall_time(seconds(*found));
        }
    return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    for (const r2::wall_time now :
         {r2::wall_time(), r2::wall_time(946'684'799s), r2::wall_time(946'684'800s), r2::wall_time(1'767'225'600s),
          r2::wall_time(2'524'608'000s), r2::wall_time::min(), r2::wall_time::max()}) {
        const auto found = r2::detail::parse_http_date(text, now);
        require(found == expected(text, now));
        if (!found || *found == r2::wall_time::max() || *found == r2::wall_time::min()) continue;

        // libcurl has another rule for years of two digits.
        const std::time_t by_curl = ::curl_getdate(text.c_str(), nullptr);
        const std::time_t by_us = floor<seconds>(*found).time_since_epoch().count();
        const bool two_digits = text.find('-') != text.npos;
        require(by_curl == -1 || (two_digits ? (by_curl - by_us) % 86'400 == 0 : by_curl == by_us));
    }
    return 0;
}
