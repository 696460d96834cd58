/// A consumer's program of two files, built against an installed or an added r2.
#include "consumer.hpp"

#include <iostream>

int main() {
    int refused = 0;
    for (auto&& [res, err] : r2::get("not a url")) refused += !res && err == r2::errc::invalid_request;
    refused += refused_in_second_file();
    std::cout << refused << " attempts were refused (expected: 2)\n";
    return refused == 2 ? 0 : 1;
}
