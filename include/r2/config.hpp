#pragma once

/// The version, the language standard, and the two modes: header-only, or compiled (`R2_COMPILED`).

#if __cplusplus < 202002L
#error "r2 needs C++20: compile with -std=c++20 or later"
#endif

#define R2_VERSION "0.2.0"

// Stands before each definition of an .ipp file. With R2_COMPILED only the file that includes <r2/src.hpp> has these
// definitions, else every file does.
// Virtual functions of an .ipp need R2_INLINE on their declarations too: else g++ 12 takes one for the key function and
// emits the class into every file. Delete this when a newer g++ doesn't.
#ifdef R2_COMPILED
#define R2_INLINE
#else
#define R2_INLINE inline
#endif
