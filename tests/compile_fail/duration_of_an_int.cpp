// expect g++: could not convert '5' from 'int' to 'r2::v0_2::duration'
// expect clang: no viable conversion from 'int' to 'duration'
#include <r2/r2.hpp>

#ifndef WRONG
const auto waits_an_int = r2::get("http://127.0.0.1/", {.timeout = std::chrono::seconds(5)});
#elif defined(__clang__)
const auto waits_an_int = r2::get("http://127.0.0.1/", {.timeout = 5});
#else  // in the call, g++ 12 names only the type `options`
const auto waits_an_int = r2::get("http://127.0.0.1/", r2::options{.timeout = 5});
#endif
