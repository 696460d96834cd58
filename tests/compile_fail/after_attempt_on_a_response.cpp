// expect: after_attempt is a copyable callable on (const request&, attempt&)
#include <r2/r2.hpp>

#ifdef WRONG
const r2::options changes_a_response{.after_attempt = [](r2::response& res) { res.status = 200; }};
#else
const r2::options changes_a_response{
    .after_attempt = [](const r2::request&, r2::attempt& a) { a.response()->status = 200; }};
#endif
