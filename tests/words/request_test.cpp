#include "r2/words/request.hpp"

#include <gtest/gtest.h>

namespace {

TEST(request, is_idempotent_by_6_methods_or_by_its_key) {
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        EXPECT_TRUE(r2::detail::is_idempotent({.method = method})) << method;
    for (const char* method : {"POST", "PATCH", "get", "PURGE"})
        EXPECT_FALSE(r2::detail::is_idempotent({.method = method})) << method;
    EXPECT_TRUE(r2::detail::is_idempotent({.method = "POST", .headers = {{"idempotency-key", "k"}}}));
}

}  // namespace
