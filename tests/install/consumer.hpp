#pragma once

#include <r2/r2.hpp>

#if defined EXPECT_STANDARD
static_assert(__cplusplus / 100 == EXPECT_STANDARD / 100, "the consumer's own standard is in force");
#endif

#if EXPECT_COMPILED && !defined R2_COMPILED
#error "the consumer asked for the compiled mode and got the header-only one"
#elif !EXPECT_COMPILED && defined R2_COMPILED
#error "the consumer asked for the header-only mode and got the compiled one"
#elif EXPECT_COMPILED && defined CURLINC_CURL_H
#error "a file that uses r2 in compiled mode sees <curl/curl.h>"
#endif

/// The number of attempts that ended with errc::invalid_request. Defined in second.cpp.
int refused_in_second_file();
