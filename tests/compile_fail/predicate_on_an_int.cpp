// expect: a predicate is a copyable callable on (const response&), (const attempt&) or (const response*, const error&)
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options gets_a_status{.retry_if = [](int status) { return status == 503; }};
#else
const r2::options gets_a_status{.retry_if = [](const r2::response& res) { return res.status == 503; }};
#endif
