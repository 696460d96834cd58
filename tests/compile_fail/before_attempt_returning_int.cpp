// expect: before_attempt is a copyable callable on (request&) or (request&, int number)
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options returns_a_number{.before_attempt = [](r2::request&) { return 207; }};
#else
const r2::options returns_a_number{.before_attempt = [](r2::request&) { return r2::response{.status = 207}; }};
#endif
