// expect: predicate
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options ends_on_a_number{.terminate_if = 200};
#else
const r2::options ends_on_a_number{.terminate_if = r2::status_is(200)};
#endif
