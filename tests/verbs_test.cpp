#include "r2/verbs.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "curl/fixture.hpp"

namespace {

using namespace r2::testkit;

class verbs : public testing::Test {
protected:
    /// The only request that the server saw.
    recorded_request only() const {
        const std::vector<recorded_request> all = s.requests();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? recorded_request{} : all.front();
    }

    server s;
    r2::client c;
};

r2::options through(r2::client& c) { return quick({.via = &c}); }

struct on_the_wire {
    const char* name;
    std::function<r2::attempts(const std::string& url, r2::client&)> range;
    const char* method;
    const char* body;
    const char* content_length;  // null: none
};

const on_the_wire of_members[] = {
    {"get", [](auto& u, auto& c) { return c.get(u, quick()); }, "GET", "", nullptr},
    {"head", [](auto& u, auto& c) { return c.head(u, quick()); }, "HEAD", "", nullptr},
    {"post", [](auto& u, auto& c) { return c.post(u, "p=1", quick()); }, "POST", "p=1", "3"},
    {"post of an empty text", [](auto& u, auto& c) { return c.post(u, "", quick()); }, "POST", "", "0"},
    {"put", [](auto& u, auto& c) { return c.put(u, std::string("abcd"), quick()); }, "PUT", "abcd", "4"},
    {"put of an empty text", [](auto& u, auto& c) { return c.put(u, "", quick()); }, "PUT", "", "0"},
    {"patch", [](auto& u, auto& c) { return c.patch(u, std::string_view("12345"), quick()); }, "PATCH", "12345", "5"},
    {"del", [](auto& u, auto& c) { return c.del(u, quick()); }, "DELETE", "", nullptr},
    {"del with braces", [](auto& u, auto& c) { return c.del(u, {}); }, "DELETE", "", nullptr},
    {"del with a body", [](auto& u, auto& c) { return c.del(u, "why", quick()); }, "DELETE", "why", "3"},
    {"PURGE", [](auto& u, auto& c) { return c.send({.method = "PURGE", .url = u}, quick()); }, "PURGE", "", nullptr},
    {"REPORT", [](auto& u, auto& c) { return c.send({.method = "REPORT", .url = u, .body = "r"}, quick()); }, "REPORT",
     "r", "1"},
    {"get with a body", [](auto& u, auto& c) { return c.send({.url = u, .body = "query"}, quick()); }, "GET", "query",
     "5"},
    {"post without a body", [](auto& u, auto& c) { return c.send({.method = "POST", .url = u}, quick()); }, "POST", "",
     "0"},
};

const on_the_wire of_free_verbs[] = {
    {"get", [](auto& u, auto& c) { return r2::get(u, through(c)); }, "GET", "", nullptr},
    {"head", [](auto& u, auto& c) { return r2::head(u, through(c)); }, "HEAD", "", nullptr},
    {"post", [](auto& u, auto& c) { return r2::post(u, "p=1", through(c)); }, "POST", "p=1", "3"},
    {"put", [](auto& u, auto& c) { return r2::put(u, "abcd", through(c)); }, "PUT", "abcd", "4"},
    {"patch", [](auto& u, auto& c) { return r2::patch(u, "12345", through(c)); }, "PATCH", "12345", "5"},
    {"del", [](auto& u, auto& c) { return r2::del(u, through(c)); }, "DELETE", "", nullptr},
    {"del with a body", [](auto& u, auto& c) { return r2::del(u, "why", through(c)); }, "DELETE", "why", "3"},
    {"post_form",
     [](auto& u, auto& c) {
         return r2::post_form(u, {{"a", "b"}}, through(c));
     },
     "POST", "a=b", "3"},
    {"PURGE", [](auto& u, auto& c) { return r2::send({.method = "PURGE", .url = u}, through(c)); }, "PURGE", "",
     nullptr},
};

void expect_on_the_wire(const on_the_wire& v) {
    SCOPED_TRACE(v.name);
    server s;
    r2::client c;
    const r2::attempt a = v.range(s.url("/path?query=1"), c).finish();
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->body, std::string_view(v.method) == "HEAD" ? "" : "ok");
    EXPECT_EQ(a.sends(), 1);
    ASSERT_EQ(s.request_count(), 1U);
    const recorded_request q = s.requests().front();
    EXPECT_EQ(q.method, v.method);
    EXPECT_EQ(q.target, "/path?query=1");
    EXPECT_EQ(q.body, v.body);
    EXPECT_TRUE(q.complete);
    EXPECT_EQ(q.headers.contains("Content-Length"), v.content_length != nullptr);
    EXPECT_EQ(q.headers.get("Content-Length").value_or(""), v.content_length ? v.content_length : "");
    EXPECT_EQ(q.headers.get("Content-Type").value_or(""),
              std::string_view(v.name) == "post_form" ? r2::body::form_content_type : "");
    EXPECT_FALSE(q.headers.contains("Expect"));
    EXPECT_FALSE(q.headers.contains("Transfer-Encoding"));
    EXPECT_EQ(q.headers.get("Host").value_or(""), "127.0.0.1:" + std::to_string(s.port()));
}

TEST_F(verbs, the_14_requests_of_a_client_are_on_the_wire_what_they_say) {
    static_assert(std::size(of_members) == 14);
    for (const on_the_wire& v : of_members) expect_on_the_wire(v);
}

TEST_F(verbs, the_9_free_verbs_are_on_the_wire_what_they_say) {
    static_assert(std::size(of_free_verbs) == 9);
    for (const on_the_wire& v : of_free_verbs) expect_on_the_wire(v);
}

// One easy handle serves one request after the other: none may leave anything behind.
TEST_F(verbs, each_of_14_requests_after_each_of_the_14_is_as_on_a_fresh_client) {
    for (const on_the_wire& first : of_members)
        for (const on_the_wire& second : of_members) {
            r2::client shared;
            const std::size_t before = s.request_count();
            first.range(s.url("/first"), shared).finish();
            second.range(s.url("/second"), shared).finish();
            ASSERT_EQ(s.request_count(), before + 2) << first.name << ", " << second.name;
            const recorded_request q = s.requests().back();
            EXPECT_EQ(q.method, second.method) << "after " << first.name;
            EXPECT_EQ(q.body, second.body) << second.name << " after " << first.name;
            EXPECT_EQ(q.headers.get("Content-Length").value_or(""), second.content_length ? second.content_length : "")
                << second.name << " after " << first.name;
            EXPECT_FALSE(q.headers.contains("Content-Type")) << second.name << " after " << first.name;
            EXPECT_FALSE(q.headers.contains("Expect")) << second.name << " after " << first.name;
        }
}

TEST_F(verbs, the_default_client_sends_1_request) {
    EXPECT_EQ(status_of(r2::get(s.url("/default"), quick()).finish()), 200);
    EXPECT_EQ(only().target, "/default");
}

TEST_F(verbs, a_body_of_2_mib_is_announced_by_its_length_alone) {
    const temporary_directory d;
    const std::string text = all_bytes(2 << 20);
    const r2::body bodies[] = {text, r2::body::file(d.file("f", text))};
    for (const r2::body& b : bodies)
        for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "STORE"}) {
            const r2::attempt a = c.send({.method = method, .url = s.url(), .body = b}, quick()).finish();
            EXPECT_EQ(status_of(a), 200) << a.error().message();
            const recorded_request q = s.requests().back();
            EXPECT_EQ(q.method, method);
            EXPECT_EQ(q.headers.get("Content-Length").value_or(""), "2097152");
            EXPECT_FALSE(q.headers.contains("Expect"));
            EXPECT_FALSE(q.headers.contains("Transfer-Encoding"));
            EXPECT_FALSE(q.headers.contains("Content-Type"));
            EXPECT_TRUE(q.body == text) << method;
        }
    EXPECT_EQ(s.request_count(), 10U);
}

TEST_F(verbs, a_form_of_4_fields_is_encoded_in_its_order) {
    const r2::form fields = {{"z", "1 2"}, {"a b", "x&y=z"}, {"", "\xC3\xA9+%"}, {"z", ""}};
    c.post_form(s.url(), fields, quick({.content_type = "text/plain"})).finish();
    EXPECT_EQ(only().body, "z=1+2&a+b=x%26y%3Dz&=%C3%A9%2B%25&z=");
    EXPECT_EQ(only().headers.get("Content-Type").value_or(""), "application/x-www-form-urlencoded");
}

TEST_F(verbs, the_content_type_of_a_form_gives_way_to_2_others) {
    const r2::form fields = {{"a", "b"}};
    c.put(s.url(), fields, quick()).finish();
    c.put(s.url(), fields, quick({.headers = {{"content-type", "text/a"}}})).finish();
    c.put(s.url(), fields, quick({.content_type = "text/b"})).finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].headers.get("Content-Type").value_or(""), "application/x-www-form-urlencoded");
    EXPECT_EQ(all[1].headers.get("Content-Type").value_or(""), "text/a");
    EXPECT_EQ(all[2].headers.get("Content-Type").value_or(""), "text/b");
    for (const recorded_request& q : all) EXPECT_EQ(q.body, "a=b");
}

/// The lines of a head that begin with this name and a colon, as they are.
std::vector<std::string> lines_of(const recorded_request& q, const std::string& name) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < q.head.size();) {
        const std::size_t end = std::min(q.head.find("\r\n", at), q.head.size());
        if (q.head.compare(at, name.size() + 1, name + ":") == 0) found.push_back(q.head.substr(at, end - at));
        at = end + 2;
    }
    return found;
}

using lines = std::vector<std::string>;

TEST_F(verbs, the_headers_of_the_options_replace_2_of_the_3_that_the_request_has) {
    const r2::request q{
        .method = "POST",
        .url = s.url(),
        .headers = {{"X-Both", "old 1"}, {"X-Mine", "kept"}, {"x-both", "old 2"}},
        .body = "b",
    };
    c.send(q, quick({.headers = {{"X-BOTH", "new 1"}, {"X-BOTH", "new 2"}, {"X-Own", "o"}}})).finish();
    EXPECT_EQ(lines_of(only(), "X-BOTH"), (lines{"X-BOTH: new 1", "X-BOTH: new 2"}));
    EXPECT_EQ(lines_of(only(), "X-Both"), lines{});
    EXPECT_EQ(lines_of(only(), "x-both"), lines{});
    EXPECT_EQ(lines_of(only(), "X-Mine"), lines{"X-Mine: kept"});
    EXPECT_EQ(lines_of(only(), "X-Own"), lines{"X-Own: o"});
}

TEST_F(verbs, a_header_of_3_values_is_sent_3_times_in_order) {
    c.get(s.url(), quick({.headers = {{"X-A", "2"}, {"X-B", "b"}, {"X-A", "1"}, {"X-A", "3"}}})).finish();
    EXPECT_EQ(lines_of(only(), "X-A"), (lines{"X-A: 2", "X-A: 1", "X-A: 3"}));
}

TEST_F(verbs, of_4_headers_with_no_value_or_blanks_each_is_sent) {
    c.get(s.url(),
          quick({.headers = {{"X-Empty", ""}, {"X-Blank", "  "}, {"X-Odd-Blank", "\f\v"}, {"X-Semicolon", ";"}}}))
        .finish();
    EXPECT_TRUE(only().headers.contains("X-Empty"));
    EXPECT_EQ(only().headers.get("X-Empty").value_or(""), "");
    EXPECT_TRUE(only().headers.contains("X-Blank"));
    EXPECT_EQ(only().headers.get("X-Blank").value_or(""), "");
    EXPECT_TRUE(only().headers.contains("X-Odd-Blank"));
    EXPECT_EQ(only().headers.get("X-Odd-Blank").value_or(""), "");
    EXPECT_EQ(only().headers.get("X-Semicolon").value_or(""), ";");
}

TEST_F(verbs, the_content_type_comes_over_the_headers_but_on_2_methods) {
    const r2::options o = quick({.headers = {{"Content-Type", "text/a"}}, .content_type = "text/b"});
    c.post(s.url(), "b", o).finish();
    c.get(s.url(), o).finish();
    c.head(s.url(), o).finish();
    c.del(s.url(), o).finish();
    c.get(s.url(), quick({.content_type = "text/b"})).finish();
    c.head(s.url(), quick({.content_type = "text/b"})).finish();
    std::vector<std::string> types;
    for (const recorded_request& q : s.requests()) types.emplace_back(q.headers.get("Content-Type").value_or(""));
    EXPECT_EQ(types, (lines{"text/b", "text/a", "text/a", "text/b", "", ""}));
    EXPECT_EQ(lines_of(s.requests().front(), "Content-Type").size(), 1U);
}

TEST_F(verbs, an_idempotency_key_is_the_same_on_3_attempts) {
    s.default_answer(reply(503));
    const std::string key = r2::fresh_key();
    c.post(s.url(), "pay",
           quick({.max_attempts = 3, .headers = {{"idempotency-key", "theirs"}}, .idempotency_key = key}))
        .finish();
    ASSERT_EQ(s.request_count(), 3U);
    for (const recorded_request& q : s.requests()) {
        EXPECT_EQ(q.headers.get("Idempotency-Key").value_or(""), key);
        EXPECT_EQ(q.body, "pay");
    }
}

TEST_F(verbs, the_user_agent_is_one_of_4) {
    r2::client own({.user_agent = "mine/1"});
    c.get(s.url(), quick()).finish();
    own.get(s.url(), quick()).finish();
    own.get(s.url(), quick({.headers = {{"user-agent", "other/2"}}})).finish();
    own.get(s.url(), quick({.headers = {{"User-Agent", ""}}})).finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_TRUE(all[0].headers.get("User-Agent").value_or("").starts_with("r2/")) << all[0].head;
    EXPECT_EQ(all[1].headers.get("User-Agent").value_or(""), "mine/1");
    EXPECT_EQ(all[2].headers.get("User-Agent").value_or(""), "other/2");
    EXPECT_EQ(all[3].headers.get("User-Agent").value_or(""), "");
}

TEST_F(verbs, a_host_header_takes_the_place_of_1_that_libcurl_makes) {
    c.get(s.url(), quick({.headers = {{"Host", "virtual.example"}}})).finish();
    EXPECT_EQ(lines_of(only(), "Host"), lines{"Host: virtual.example"});
}

TEST_F(verbs, before_attempt_changes_the_copy_of_1_of_2_attempts) {
    s.default_answer(reply(503));
    c.post(s.url("/a"), "first",
           quick({.max_attempts = 2,
                  .before_attempt =
                      [&](r2::request& q, int number) {
                          if (number != 1) return;
                          q.method = "PUT";
                          q.url = s.url("/b");
                          q.body = "signed";
                          q.headers.set("X-Signature", "s");
                      }}))
        .finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].method + all[0].target + all[0].body, "PUT/bsigned");
    EXPECT_EQ(all[0].headers.get("X-Signature"), "s");
    EXPECT_EQ(all[1].method + all[1].target + all[1].body, "POST/afirst");
    EXPECT_FALSE(all[1].headers.contains("X-Signature"));
}

}  // namespace
