#include "r2/curl/url.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "curl/fixture.hpp"

namespace {

using namespace r2::testkit;

class bad_input : public testing::Test {
protected:
    /// Checks that nothing is sent and that the range ends at once. Returns the message.
    std::string refused(r2::request q, r2::options o = {}) {
        o.max_attempts = 3;
        r2::attempts range = c.send(std::move(q), quick(std::move(o)));
        std::vector<std::string> messages;
        for (const r2::attempt& a : range) {
            EXPECT_TRUE(a.error() == r2::errc::invalid_request) << status_of(a) << a.error().message();
            EXPECT_EQ(a.error().sent(), r2::sent::no);
            EXPECT_EQ(a.sends(), 0);
            messages.push_back(a.error().message());
        }
        EXPECT_EQ(range.ended(), r2::ended::not_retryable);
        EXPECT_EQ(messages.size(), 1U);
        EXPECT_EQ(s.connections(), 0U);
        return messages.empty() ? "" : messages.front();
    }

    std::string url(std::string_view target = "/") const { return s.url(target); }

    server s;
    r2::client c;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(bad_input, each_of_18_urls_sends_nothing_and_is_not_quoted) {
    const std::string host = "127.0.0.1:" + std::to_string(s.port());
    const std::string urls[] = {
        "",
        " ",
        "secret",
        host + "/secret",
        "//" + host + "/secret",
        "/secret",
        "http://" + host + "/with space/secret",
        " http://" + host + "/secret",
        "http://" + host + "/secret\r\nX-Injected: 1",
        "http://" + host + "/secret\n",
        "http://" + host + "/\x01secret",
        "http://" + host + "/\x7fsecret",
        "http://" + host + std::string("/a\0secret", 9),
        "http://us er:secret@" + host + "/",
        "http://" + host + ":secret/",
        "http://[secret/",
        "http://",
        "http://" + host.substr(0, 10) + "99999/secret",
    };
    static_assert(std::size(urls) == 18);
    for (const std::string& u : urls) {
        SCOPED_TRACE(u);
        const std::string message = refused({.url = u});
        EXPECT_TRUE(has(message, "URL")) << message;
        EXPECT_FALSE(has(message, "secret")) << message;
        EXPECT_FALSE(has(message, "127.0.0.1")) << message;
    }
}

TEST_F(bad_input, of_the_schemes_only_2_are_spoken) {
    const temporary_directory d;
    const std::string path = d.file("f", "content");
    const std::string urls[] = {"file://" + path,
                                "FILE://localhost" + path,
                                "gopher" + url("/secret").substr(4),
                                "ftp" + url("/secret").substr(4),
                                "ws" + url("/secret").substr(4),
                                "dict" + url("/secret").substr(4),
                                "httpx" + url("/secret").substr(4)};
    for (const std::string& u : urls) {
        SCOPED_TRACE(u);
        const std::string message = refused({.url = u});
        EXPECT_TRUE(has(message, "scheme")) << message;
        EXPECT_FALSE(has(message, "secret") || has(message, path)) << message;
    }
    EXPECT_EQ(status_of(c.get("HTTP" + url("/").substr(4), quick()).finish()), 200);
}

TEST_F(bad_input, each_of_5_messages_about_urls_names_the_fault) {
    EXPECT_TRUE(has(refused({.url = ""}), "empty"));
    EXPECT_TRUE(has(refused({.url = "example.com/x"}), "no scheme"));
    EXPECT_TRUE(has(refused({.url = url("/a b")}), "space"));
    EXPECT_TRUE(has(refused({.url = url("/a\tb")}), "control byte"));
    EXPECT_TRUE(has(refused({.url = "ftp://example.com/"}), "neither http nor https"));
}

TEST_F(bad_input, each_of_9_headers_sends_nothing_and_is_named) {
    struct bad_header {
        r2::header field;
        std::string_view named;
    };
    const bad_header table[] = {
        {{"X-Bad", "a\r\nX-Injected: secret"}, "X-Bad"},
        {{"X-Bad", "secret\n"}, "X-Bad"},
        {{"X-Bad", "secret\r"}, "X-Bad"},
        {{"X-Bad", std::string("secret\0", 7)}, "X-Bad"},
        {{"X-Bad\r\nX-Injected", "secret"}, "name"},
        {{"", "secret"}, "name"},
        {{"X Bad", "secret"}, "name"},
        {{"X-Bad:", "secret"}, "name"},
        {{std::string("X\0Bad", 5), "secret"}, "name"},
    };
    static_assert(std::size(table) == 9);
    for (const auto& [field, named] : table)
        for (const bool by_options : {false, true}) {
            r2::headers good_and_bad = {{"X-Good", "secret"}};
            good_and_bad.add(field.name, field.value);
            const std::string message = by_options ? refused({.url = url()}, {.headers = good_and_bad})
                                                   : refused({.url = url(), .headers = good_and_bad});
            EXPECT_TRUE(has(message, named)) << message;
            EXPECT_FALSE(has(message, "secret") || has(message, "Injected")) << message;
        }
}

TEST_F(bad_input, each_of_2_options_that_become_headers_is_checked) {
    EXPECT_TRUE(has(refused({.method = "POST", .url = url()}, {.content_type = "a\r\nX: secret"}), "Content-Type"));
    EXPECT_TRUE(has(refused({.url = url()}, {.idempotency_key = "a\nsecret"}), "Idempotency-Key"));
}

TEST_F(bad_input, each_of_7_methods_sends_nothing) {
    const std::string methods[] = {
        "", " ", "GE T", "GET / HTTP/1.1\r\nX: secret", "G\tT", std::string("G\0T", 3), "M\xC3\xA9thode"};
    static_assert(std::size(methods) == 7);
    for (const std::string& m : methods) {
        const std::string message = refused({.method = m, .url = url()});
        EXPECT_TRUE(has(message, "method")) << message;
        EXPECT_FALSE(has(message, "secret")) << message;
    }
}

TEST_F(bad_input, a_header_of_1_mb_sends_nothing) {
    const std::string message = refused({.url = url()}, {.headers = {{"X-Huge", std::string(1'000'000, 's')}}});
    EXPECT_TRUE(has(message, "bytes")) << message;
    EXPECT_LT(message.size(), 200U);
}

TEST_F(bad_input, a_content_length_of_1_more_than_the_body_sends_nothing) {
    for (const char* wrong : {"4", "2", "-1", "x", "", "3, 3"}) {
        const r2::request q = {.method = "POST", .url = url(), .headers = {{"content-length", wrong}}, .body = "abc"};
        EXPECT_TRUE(has(refused(q), "ontent-"));
    }
    EXPECT_TRUE(has(refused({.url = url(), .headers = {{"Transfer-Encoding", "chunked"}}}), "Transfer-Encoding"));
    const r2::options right = quick({.headers = {{"Content-Length", "3"}}});
    EXPECT_EQ(status_of(c.post(url(), "abc", right).finish()), 200);
    EXPECT_EQ(s.requests().front().headers.get("Content-Length").value_or(""), "3");
}

TEST_F(bad_input, the_request_that_before_attempt_makes_of_attempt_2_is_checked) {
    s.default_answer(reply(503));
    const r2::attempt a = c.get(url(), quick({.max_attempts = 3,
                                              .before_attempt =
                                                  [](r2::request& q, int number) {
                                                      if (number == 2) q.headers.add("X", "a\nb");
                                                  }}))
                              .finish();
    EXPECT_TRUE(a.error() == r2::errc::invalid_request);
    EXPECT_EQ(a.number(), 2);
    EXPECT_EQ(s.request_count(), 1U);
}

class credentials : public bad_input {
protected:
    std::string with(std::string_view userinfo, std::string_view target = "/") const {
        return "http://" + std::string(userinfo) + "@127.0.0.1:" + std::to_string(s.port()) + std::string(target);
    }
};

TEST_F(credentials, of_a_url_are_1_authorization_on_the_wire_and_not_in_its_response) {
    const r2::attempt a = c.get(with("me:secret", "/x?y"), quick()).finish();
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->url, url("/x?y"));
    const recorded_request q = s.requests().front();
    EXPECT_EQ(q.headers.get("Authorization").value_or(""), "Basic bWU6c2VjcmV0");
    EXPECT_EQ(q.target, "/x?y");
    EXPECT_EQ(q.head.find("secret"), std::string::npos);
}

TEST_F(credentials, are_percent_decoded_in_4_cases) {
    const std::pair<const char*, const char*> table[] = {
        {"us%65r:p%40ss%2Fw", "Basic dXNlcjpwQHNzL3c="},  // user:p@ss/w
        {"a%3Ab:c", "Basic YTpiOmM="},                    // a:b:c
        {"user", "Basic dXNlcjo="},                       // user:
        {":word", "Basic OndvcmQ="},                      // :word
    };
    for (const auto& [userinfo, expected] : table) {
        EXPECT_EQ(status_of(c.get(with(userinfo), quick()).finish()), 200);
        EXPECT_EQ(s.requests().back().headers.get("Authorization").value_or(""), expected) << userinfo;
    }
}

// RFC 7617, 2: user names and passwords have no control characters.
TEST_F(credentials, with_a_control_byte_send_nothing_rather_than_0_credentials) {
    for (const char* userinfo : {"secret%00user:word", "user:secret%0d%0a", "secret%01"}) {
        const std::string message = refused({.url = with(userinfo)});
        EXPECT_FALSE(has(message, "secret")) << message;
    }
}

TEST_F(credentials, stick_to_none_of_the_2_requests_that_follow) {
    c.get(with("me:secret"), quick()).finish();
    c.get(url(), quick()).finish();
    c.get(with("you:other"), quick()).finish();
    c.post(url("/else"), "b", quick()).finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].headers.get("Authorization").value_or(""), "Basic bWU6c2VjcmV0");
    EXPECT_FALSE(all[1].headers.contains("Authorization"));
    EXPECT_EQ(all[2].headers.get("Authorization").value_or(""), "Basic eW91Om90aGVy");
    EXPECT_FALSE(all[3].headers.contains("Authorization"));
}

TEST_F(credentials, are_sent_on_each_of_3_attempts) {
    s.default_answer(reply(503));
    c.get(with("me:secret"), quick({.max_attempts = 3})).finish();
    ASSERT_EQ(s.request_count(), 3U);
    for (const recorded_request& q : s.requests())
        EXPECT_EQ(q.headers.get("Authorization").value_or(""), "Basic bWU6c2VjcmV0");
}

TEST_F(credentials, of_configure_are_there_again_after_1_request_with_others) {
    r2::client own({.configure = [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_USERPWD, "me:secret"); }});
    own.get(url(), quick()).finish();
    own.get(with("you:other"), quick()).finish();
    own.get(url(), quick()).finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].headers.get("Authorization").value_or(""), "Basic bWU6c2VjcmV0");
    EXPECT_EQ(all[1].headers.get("Authorization").value_or(""), "Basic eW91Om90aGVy");
    EXPECT_EQ(all[2].headers.get("Authorization").value_or(""), "Basic bWU6c2VjcmV0");
}

TEST_F(credentials, give_way_to_1_authorization_header) {
    c.get(with("me:secret"), quick({.headers = {{"Authorization", "Bearer t"}}})).finish();
    EXPECT_EQ(s.requests().front().headers.get("Authorization").value_or(""), "Bearer t");
}

TEST_F(credentials, are_in_none_of_the_messages_of_6_errors) {
    const refusing_port closed;
    s.script({nothing().reset(), raw("garbage secret\r\n\r\n").close(), reply(200, "12345"), reply(200).cut(20),
              reply(302, "", {{"Location", "file:///secret"}})});
    std::vector<r2::attempt> failed;
    for (int i = 0; i < 5; ++i) failed.push_back(c.get(with("me:secret"), quick({.max_body = 4})).finish());
    const std::string refusing = "http://me:secret@127.0.0.1:" + std::to_string(closed.port()) + "/secret";
    failed.push_back(c.get(refusing, quick({.headers = {{"Cookie", "secret"}}})).finish());
    for (const r2::attempt& a : failed) {
        EXPECT_EQ(status_of(a), 0);
        EXPECT_FALSE(has(a.error().message(), "secret")) << a.error().message();
        EXPECT_FALSE(a.error().message().empty());
    }
}

TEST(url, of_2_responses_is_the_url_that_was_asked) {
    server s;
    const r2::client c;
    for (const char* target : {"/a?b=c", "/%C3%A9%20x"}) {
        const r2::attempt a = c.get(s.url(target), quick()).finish();
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.response()->url, s.url(target));
        EXPECT_EQ(s.requests().back().target, target);
    }
}

TEST(url, a_fragment_is_in_0_requests) {
    server s;
    const r2::client c;
    EXPECT_EQ(status_of(c.get(s.url("/a?b#secret"), quick()).finish()), 200);
    EXPECT_EQ(s.requests().back().target, "/a?b");
}

}  // namespace
