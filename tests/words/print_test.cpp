#include "r2/words/print.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include <r2/r2.hpp>

namespace {

template <class T> std::string printed(const T& value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

TEST(print, writes_the_names_of_6_enumerations) {
    EXPECT_EQ(printed(r2::errc::tls), "no secure connection");
    EXPECT_EQ(printed(r2::sent::maybe), "maybe");
    EXPECT_EQ(printed(r2::ended::condition_met), "condition_met");
    EXPECT_EQ(printed(r2::wait_source::retry_after), "retry_after");
    EXPECT_EQ(printed(r2::circuit::half_open), "half_open");
    EXPECT_EQ(printed(r2::hedged_copy::fate::won), "won");
}

TEST(print, writes_the_message_of_an_error) {
    EXPECT_EQ(printed(r2::error(r2::errc::timeout, "after 1s")), "timeout: after 1s");
    EXPECT_EQ(printed(r2::error()), "no error");
    EXPECT_EQ(printed(r2::attempt(r2::error(r2::errc::refused)).error()), "refused");
}

}  // namespace
