#include "r2/curl/header_list.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using r2::detail::curl::default_user_agent;

std::vector<std::string> lines(const r2::request& q, bool has_body = false, std::string_view user_agent = {}) {
    const auto list = r2::detail::curl::header_list(q, has_body, user_agent);
    std::vector<std::string> all;
    for (const curl_slist* each = list.get(); each; each = each->next) all.push_back(each->data);
    return all;
}

const std::string agent = "User-Agent: " + std::string(default_user_agent);

TEST(header_list, of_no_fields_has_the_user_agent_and_suppresses_2_of_libcurls) {
    EXPECT_EQ(lines({}), (std::vector<std::string>{agent, "Accept-Encoding:", "Accept:"}));
    EXPECT_EQ(default_user_agent, "r2/" R2_VERSION);
}

TEST(header_list, with_a_body_suppresses_4_of_libcurls) {
    EXPECT_EQ(lines({}, true),
              (std::vector<std::string>{agent, "Accept-Encoding:", "Accept:", "Content-Type:", "Expect:"}));
}

TEST(header_list, of_a_form_has_the_1_content_type_that_it_brings) {
    const r2::request q = {.body = r2::form{{"a", "b"}}};
    EXPECT_EQ(lines(q, true)[3], "Content-Type: application/x-www-form-urlencoded");
}

TEST(header_list, keeps_3_fields_in_their_order_before_its_own) {
    const r2::request q = {.headers = {{"B", "1"}, {"A", "2"}, {"b", "3"}}};
    EXPECT_EQ(lines(q), (std::vector<std::string>{"B: 1", "A: 2", "b: 3", agent, "Accept-Encoding:", "Accept:"}));
}

TEST(header_list, lets_5_fields_of_the_request_replace_its_own) {
    const r2::request q = {
        .headers = {
            {"user-agent", "a"}, {"ACCEPT-ENCODING", "b"}, {"accept", "c"}, {"content-type", "d"}, {"expect", "e"}}};
    EXPECT_EQ(lines(q, true, "the client's"), (std::vector<std::string>{"user-agent: a", "ACCEPT-ENCODING: b",
                                                                        "accept: c", "content-type: d", "expect: e"}));
}

TEST(header_list, has_the_1_user_agent_of_the_client) {
    EXPECT_EQ(lines({}, false, "mine/1")[0], "User-Agent: mine/1");
}

TEST(header_list, sends_each_of_4_blank_values_as_an_empty_one) {
    for (const char* blank : {"", " ", "\t \t", "\v\f"}) EXPECT_EQ(lines({.headers = {{"X", blank}}})[0], "X;");
}

}  // namespace
