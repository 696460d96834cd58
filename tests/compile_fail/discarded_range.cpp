// expect: loop over it
#include <r2/r2.hpp>

void discards_a_range() {
#ifdef WRONG
    r2::get("http://127.0.0.1/");
#else
    for (auto&& [res, err] : r2::get("http://127.0.0.1/")) static_cast<void>(err || res->status);
#endif
}
