#pragma once

/// The compiled mode: define R2_COMPILED everywhere, and include this in exactly one file of the program. The CMake
/// target r2::compiled does both.

#include "r2/config.hpp"  // stops an older language with one error

#if __cplusplus >= 202002L

#ifndef R2_COMPILED
#error "<r2/src.hpp> is for the compiled mode: define R2_COMPILED in every file that includes r2"
#endif

#include "r2/client.ipp"
#include "r2/curl/check_url.ipp"
#include "r2/machine/decide.ipp"
#include "r2/machine/plan.ipp"
#include "r2/verbs.ipp"

#endif
