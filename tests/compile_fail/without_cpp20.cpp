// expect: r2 needs C++20: compile with -std=c++20 or later
// flags: -std=c++17
#ifdef WRONG
#include <r2/r2.hpp>
#include <r2/src.hpp>
#include <r2/testing.hpp>
#endif
