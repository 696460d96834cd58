/// A program of somebody else's: what it includes and links came by installation.
#include <iostream>
#include <r2/r2.hpp>

#ifdef EXPECT_STANDARD
static_assert(__cplusplus / 100 == EXPECT_STANDARD / 100, "the consumer's own standard is in force");
#endif

int main() {
    int attempts = 0;
    for (auto&& [res, err] : r2::get("not a url")) attempts += !res && err == r2::errc::invalid_request;
    std::cout << attempts << " attempt, refused as it should be\n";
    return attempts == 1 ? 0 : 1;
}
