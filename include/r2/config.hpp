#pragma once

/// The version, the language, and the two modes: header-only, or with `R2_COMPILED` only declared.

#if __cplusplus < 202002L
#error "r2 needs C++20: compile with -std=c++20 or later"
#endif

#define R2_VERSION "0.2.0"

// Before what a header defines in its .ipp file. With R2_COMPILED the file that includes <r2/src.hpp> has these
// definitions; else every file has them.
#ifdef R2_COMPILED
#define R2_INLINE
#else
#define R2_INLINE inline
#endif
