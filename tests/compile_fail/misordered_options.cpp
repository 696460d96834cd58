// expect: order
#include <r2/r2.hpp>

using namespace std::chrono_literals;

#ifdef WRONG
const r2::options names_the_timeout_first{.timeout = 1s, .max_attempts = 5};
#else
const r2::options names_the_timeout_first{.max_attempts = 5, .timeout = 1s};
#endif
