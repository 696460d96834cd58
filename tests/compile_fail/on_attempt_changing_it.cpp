// expect: on_attempt one on (const request&, const attempt&)
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options gets_a_mutable_attempt{.on_attempt = [](const r2::request&, r2::attempt& a) { a.response(); }};
#else
const r2::options gets_a_const_attempt{.on_attempt = [](const r2::request&, const r2::attempt& a) { a.response(); }};
#endif
