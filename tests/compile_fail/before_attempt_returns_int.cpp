// expect: before_attempt
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options answers_with_a_number{.before_attempt = [](r2::request&) { return 207; }};
#else
const r2::options answers_with_a_number{.before_attempt = [](r2::request&) { return r2::response{.status = 207}; }};
#endif
