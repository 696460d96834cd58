// expect: duration
#include <r2/r2.hpp>

using namespace std::chrono_literals;

#ifdef WRONG
const r2::options waits_half_a_second{.timeout = 0.5s};
#else
const r2::options waits_half_a_second{.timeout = 500ms};
#endif
