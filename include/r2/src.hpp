#pragma once

/// The compiled mode: define R2_COMPILED everywhere, and include this in exactly one file of the program. The CMake
/// target r2::compiled does both.

#include "r2/config.hpp"  // stops an older language with one error

#if __cplusplus >= 202002L

#ifndef R2_COMPILED
#error "<r2/src.hpp> is for the compiled mode: define R2_COMPILED in every file that includes r2"
#endif

#include "r2/src/library.hpp"
#include "r2/src/testing.hpp"

#endif
