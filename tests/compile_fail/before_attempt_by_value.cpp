// expect: not on a request by value
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options changes_a_copy{.before_attempt = [](r2::request q) { q.headers.set("X-Signature", "s"); }};
#else
const r2::options changes_a_copy{.before_attempt = [](r2::request& q) { q.headers.set("X-Signature", "s"); }};
#endif
