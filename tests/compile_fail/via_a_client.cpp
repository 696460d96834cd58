// expect g++: cannot convert 'const r2::v0_2::client' to 'const r2::v0_2::client*'
// expect clang: no viable conversion from 'const r2::client' to 'const client *'
#include <r2/r2.hpp>

const r2::client own_client;

#ifndef WRONG
const auto sends_through = r2::get("http://127.0.0.1/", {.via = &own_client});
#elif defined(__clang__)
const auto sends_through = r2::get("http://127.0.0.1/", {.via = own_client});
#else  // in the call, g++ 12 names only the type `options`
const auto sends_through = r2::get("http://127.0.0.1/", r2::options{.via = own_client});
#endif
