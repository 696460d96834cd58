// expect g++: has no non-static data member named 'max_retries'
// expect clang: field designator 'max_retries' does not refer to any field in type 'options'
#include <r2/r2.hpp>

#ifndef WRONG
const auto counts_retries = r2::get("http://127.0.0.1/", {.max_attempts = 5});
#elif defined(__clang__)
const auto counts_retries = r2::get("http://127.0.0.1/", {.max_retries = 4});
#else  // in the call, g++ 12 names only the type `options`
const auto counts_retries = r2::get("http://127.0.0.1/", r2::options{.max_retries = 4});
#endif
