// expect: a predicate is a copyable callable on (const response&), (const attempt&) or (const response*, const error&)
#include <r2/r2.hpp>

#ifdef WRONG
const auto ends_on_a_number = r2::get("http://127.0.0.1/", {.terminate_if = 200});
#else
const auto ends_on_a_number = r2::get("http://127.0.0.1/", {.terminate_if = r2::status_is(200)});
#endif
