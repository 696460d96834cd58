// expect g++: from 'duration<long double,ratio<[...],1>>' to 'duration<long int,ratio<[...],1000000000>>'
// expect clang: no viable conversion from 'duration<long double, ratio<[...], 1>>' to 'duration<int64_t, ratio<
#include <r2/r2.hpp>

using namespace std::chrono_literals;

#ifndef WRONG
const auto waits_half_a_second = r2::get("http://127.0.0.1/", {.timeout = 500ms});
#elif defined(__clang__)
const auto waits_half_a_second = r2::get("http://127.0.0.1/", {.timeout = 0.5s});
#else  // in the call, g++ 12 names only the type `options`
const auto waits_half_a_second = r2::get("http://127.0.0.1/", r2::options{.timeout = 0.5s});
#endif
