#include "r2/policy/http_date.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace {

using namespace std::chrono_literals;

constexpr auto y2026 = r2::wall_time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));

constexpr bool is_date(std::string_view text) { return r2::detail::parse_http_date(text, y2026).has_value(); }

TEST(http_date, has_three_forms_and_no_other) {
    constexpr auto expected = r2::wall_time(std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s);
    static_assert(r2::detail::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", y2026) == expected);
    static_assert(r2::detail::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", y2026) == expected);
    static_assert(r2::detail::parse_http_date("Sun Nov  6 08:49:37 1994", y2026) == expected);
    static_assert(is_date("Wed Nov 16 08:49:37 1994"));
    static_assert(is_date("Thu, 29 Feb 2024 23:59:60 GMT"));
    constexpr const char* none[] = {"",
                                    "Mon, 06 Nov 1994 08:49:37 GMT",    // a Sunday
                                    "Wed, 31 Feb 2027 08:49:37 GMT",    // a day that doesn't exist
                                    "Sun, 6 Nov 1994 08:49:37 GMT",     // the day needs two digits
                                    "Sun, 06 Nov 1994 08:49:37",        // no zone
                                    "Sun, 06 Nov 1994 08:49:37 CET",    //
                                    "Sun, 06 Nov 1994 08:49:37 GMT ",   // a character too many
                                    "Sun, 06 Nov 1994 24:00:00 GMT",    //
                                    "Sun, 06 Nov 1994 08:60:00 GMT",    //
                                    "Thu, 29 Feb 2024 23:59:61 GMT",    // no leap second
                                    "Sunday, 06-Nov-94 08:49:37 GMT ",  //
                                    "Sunday, 06-Nov-94 08:49:37",       //
                                    "Sun Nov  6 08:49:37 1994 ",        //
                                    "Sun Nov  6 08:49:37 199",          // a character too few
                                    "Wed, 1/ Nov 1994 08:49:37 GMT",    // a neighbour of the digits in ASCII
                                    "Thu, 0: Nov 1994 08:49:37 GMT",    //
                                    "sun, 06 nov 1994 08:49:37 gmt",    // case counts
                                    "Sun, 06 Nov 94 08:49:37 GMT",      //
                                    "Sun, 06-Nov-94 08:49:37 GMT",      // the long name goes with dashes
                                    "20300101",                         //
                                    "1994-11-06T08:49:37Z",             //
                                    "Sun Nov 6 08:49:37 1994"};         // the day isn't padded
    for (const char* text : none) EXPECT_FALSE(is_date(text)) << text;
}

TEST(http_date, a_year_of_two_digits_is_at_most_50_years_ahead) {
    EXPECT_EQ(r2::detail::parse_http_date("Wednesday, 01-Jan-76 00:00:00 GMT", y2026),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(2076) / 1 / 1)));
    EXPECT_EQ(r2::detail::parse_http_date("Saturday, 01-Jan-77 00:00:00 GMT", y2026),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(1977) / 1 / 1)));
}

TEST(http_date, a_year_of_two_digits_is_less_than_50_years_ago) {
    constexpr auto y2060 = r2::wall_time(std::chrono::sys_days(std::chrono::year(2060) / 1 / 1));
    EXPECT_EQ(r2::detail::parse_http_date("Wednesday, 01-Jan-10 00:00:00 GMT", y2060),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(2110) / 1 / 1)));
    EXPECT_EQ(r2::detail::parse_http_date("Saturday, 01-Jan-11 00:00:00 GMT", y2060),
              r2::wall_time(std::chrono::sys_days(std::chrono::year(2011) / 1 / 1)));
}

TEST(http_date, beyond_what_the_clock_holds_is_its_last_moment) {
    EXPECT_EQ(r2::detail::parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", y2026), r2::wall_time::max());
    EXPECT_EQ(r2::detail::parse_http_date("Sat, 01 Jan 0000 00:00:00 GMT", y2026), r2::wall_time::min());
    EXPECT_EQ(r2::detail::parse_http_date("Fri, 11 Apr 2262 23:47:16 GMT", y2026), r2::wall_time(9'223'372'036s));
    EXPECT_EQ(r2::detail::parse_http_date("Fri, 11 Apr 2262 23:47:17 GMT", y2026), r2::wall_time::max());
    EXPECT_EQ(r2::detail::parse_http_date("Tue, 21 Sep 1677 00:12:44 GMT", y2026), r2::wall_time(-9'223'372'036s));
    EXPECT_EQ(r2::detail::parse_http_date("Tue, 21 Sep 1677 00:12:43 GMT", y2026), r2::wall_time::min());
}

}  // namespace
