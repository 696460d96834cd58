// expect g++: could not convert '1.5e+0' from 'double' to 'r2::v0_2::duration'
// expect clang: no viable conversion from 'double' to 'duration'
#include <r2/r2.hpp>

#ifndef WRONG
const auto waits_a_double = r2::get("http://127.0.0.1/", {.timeout = std::chrono::milliseconds(1500)});
#elif defined(__clang__)
const auto waits_a_double = r2::get("http://127.0.0.1/", {.timeout = 1.5});
#else  // in the call, g++ 12 names only the type `options`
const auto waits_a_double = r2::get("http://127.0.0.1/", r2::options{.timeout = 1.5});
#endif
