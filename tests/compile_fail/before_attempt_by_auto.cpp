// expect: not on a request by value
#include <r2/r2.hpp>

#ifdef WRONG
const auto changes_an_auto = r2::get("http://127.0.0.1/", {.before_attempt = [](auto q, int) { q.method = "HEAD"; }});
#else
const auto changes_an_auto = r2::get("http://127.0.0.1/", {.before_attempt = [](auto& q, int) { q.method = "HEAD"; }});
#endif
