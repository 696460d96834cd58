#include "r2/words/check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using r2::errc;

struct bad_request {
    const char* what;
    r2::request q;
    const char* says;
};

TEST(check, names_17_faults_and_quotes_no_value) {
    const std::string u = "http://h/";
    const bad_request table[] = {
        {"no method", {.method = "", .url = u}, "the method is empty"},
        {"a method of two", {.method = "GET HTTP/1.1", .url = u}, "the method has a character that isn't allowed"},
        {"CONNECT", {.method = "CONNECT", .url = u}, "the method CONNECT isn't supported"},
        {"HEAD with a body", {.method = "HEAD", .url = u, .body = "secret"}, "a HEAD request has no body"},
        {"no URL", {}, "the URL is empty"},
        {"a space", {.url = "http://h/secret file"}, "the URL has a space at position 15"},
        {"NUL", {.url = std::string("http://h/\0", 10)}, "the URL has a control byte at position 9"},
        {"line feed", {.url = "http://h/\n"}, "the URL has a control byte at position 9"},
        {"DEL", {.url = "http://h/\x7f"}, "the URL has a control byte at position 9"},
        {"a name with CR LF", {.url = u, .headers = {{"A\r\nB", "secret"}}}, "the name of header 1 is empty or has a"},
        {"an empty name",
         {.url = u, .headers = {{"A", "1"}, {"", "secret"}}},
         "the name of header 2 is empty or has a"},
        {"CR LF in a value",
         {.url = u, .headers = {{"X-Id", "secret\r\nB: c"}}},
         "X-Id has CR, LF or NUL in its value"},
        {"NUL in a value",
         {.url = u, .headers = {{"X-Id", std::string("a\0b", 3)}}},
         "X-Id has CR, LF or NUL in its value"},
        {"Transfer-Encoding", {.url = u, .headers = {{"transfer-encoding", "chunked"}}}, "leave Transfer-Encoding out"},
        {"a wrong length",
         {.url = u, .headers = {{"Content-Length", "5"}}, .body = "four"},
         "leave Content-Length out"},
        {"1 MB of header", {.url = u, .headers = {{"X", std::string(1'000'000, 's')}}}, "over the limit of 262144"},
        {"1 MB of URL", {.url = u + std::string(1'000'000, 's')}, "over the limit of 262144"},
    };
    for (const auto& [what, q, says] : table) {
        const r2::error bad = r2::detail::check(q);
        EXPECT_EQ(bad, errc::invalid_request) << what;
        EXPECT_EQ(bad.sent(), r2::sent::no) << what;
        EXPECT_NE(bad.message().find(says), std::string::npos) << what << ": " << bad.message();
        EXPECT_EQ(bad.message().find("secret"), std::string::npos) << what;
    }
    EXPECT_FALSE(r2::detail::check({.url = u, .headers = {{"Content-Length", "4"}, {"X", ""}}, .body = "four"}));
}

}  // namespace
