#include "r2/curl/redirects.hpp"

#include <curl/curl.h>

#include <string>
#include <vector>

#include "curl/fixture.hpp"
#include "support/nginx.hpp"

namespace {

using namespace r2::testkit;

answer redirect(int status, const std::string& to) { return reply(status, "moved", {{"Location", to}}); }

class redirects : public testing::Test {
protected:
    r2::attempt follow(const answer& what, r2::request q = {}, r2::options o = {}) {
        s.on("/a/from", {what});
        q.url = s.url("/a/from?old");
        return c.send(std::move(q), quick(std::move(o))).finish();
    }

    server s;
    r2::client c;
};

/// A GET at http://me:pw@h/a, moved on without a network.
struct hops {
    explicit hops(int max = 10, const char* from = "http://me:pw@h/a") {
        q.url = from;
        EXPECT_FALSE(at.parse(q.url));
        all.begin(q, max);
    }
    r2::error follow(const std::string& to, int status = 302) { return all.follow(to, status, at); }

    std::vector<std::string> secrets{"X-Secret"};
    r2::request q{.method = "POST", .headers = {{"X-Secret", "s"}}, .body = "text"};
    r2::detail::curl::url at;
    r2::detail::curl::redirects all{secrets};
};

TEST(hops, are_led_on_by_5_statuses_with_a_location) {
    const hops some, none(0);
    for (int status = 200; status < 600; ++status) {
        const r2::response r{status, {{"location", "/b"}}, "", ""};
        EXPECT_EQ(some.all.location(r),
                  r2::detail::is_redirect(status) ? std::optional<std::string>("/b") : std::nullopt);
        EXPECT_EQ(none.all.location(r), std::nullopt);
    }
    EXPECT_EQ(some.all.location({302, {}, "", ""}), std::nullopt);
}

TEST(hops, within_the_origin_keep_2_secrets_and_lose_them_beyond) {
    hops h;
    EXPECT_FALSE(h.follow("/b", 307));
    EXPECT_EQ(h.all.current().url, "http://h/b");
    EXPECT_EQ(h.all.current().body.text(), "text");
    EXPECT_TRUE(h.all.current().headers.contains("X-Secret"));
    EXPECT_TRUE(h.at.has_credentials());
    EXPECT_FALSE(h.all.left_origin());
    EXPECT_FALSE(h.follow("http://other/c", 307));
    EXPECT_EQ(h.all.current().url, "http://other/c");
    EXPECT_FALSE(h.all.current().headers.contains("X-Secret"));
    EXPECT_FALSE(h.at.has_credentials());
    EXPECT_TRUE(h.all.left_origin());
}

TEST(hops, begin_again_with_the_request_of_each_of_2_attempts) {
    hops h;
    EXPECT_FALSE(h.follow("/b", 303));
    EXPECT_EQ(h.all.current().method, "GET");
    h.all.begin(h.q, 10);
    EXPECT_EQ(&h.all.current(), &h.q);
    EXPECT_FALSE(h.follow("/c", 307));
    EXPECT_EQ(h.all.current().method, "POST");
}

TEST(hops, over_their_maximum_of_2_are_refused) {
    hops h(2);
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(h.follow("/b"));
    const r2::error bad = h.follow("/b");
    EXPECT_TRUE(bad == r2::errc::too_many_redirects);
    EXPECT_EQ(bad.sent(), r2::sent::maybe);
    EXPECT_FALSE(bad.transient());
}

TEST(hops, never_lead_from_https_to_http_not_even_at_hop_3) {
    hops h(10, "http://h/a");
    EXPECT_FALSE(h.follow("http://h/b"));
    EXPECT_FALSE(h.follow("https://h/c"));
    EXPECT_TRUE(h.follow("http://h/d") == r2::errc::protocol);
    hops direct(10, "https://h/a");
    EXPECT_TRUE(direct.follow("http://h/b") == r2::errc::protocol);
}

TEST_F(redirects, the_5_statuses_with_5_methods_keep_or_change_method_and_body) {
    const r2::headers about_it = {{"Content-Type", "x/y"}, {"Content-Language", "en"}, {"X-Kept", "k"}};
    for (const int status : {301, 302, 303, 307, 308})
        for (const std::string method : {"GET", "POST", "PUT", "HEAD", "DELETE"}) {
            SCOPED_TRACE(std::to_string(status) + " " + method);
            const bool sends_body = method == "POST" || method == "PUT" || method == "DELETE";
            const bool becomes_get = status == 303 ? method != "HEAD" : method == "POST" && status < 303;
            const std::string body = sends_body ? "text" : "";
            const r2::request q = {
                .method = method, .headers = about_it, .body = sends_body ? r2::body(body) : r2::body()};
            const r2::attempt a = follow(redirect(status, "/to"), q);
            ASSERT_EQ(status_of(a), 200) << a.error().message();
            EXPECT_EQ(a.sends(), 2);
            EXPECT_EQ(a.response()->url, s.url("/to"));
            EXPECT_EQ(a.response()->body, method == "HEAD" ? "" : "ok");
            const recorded_request last = s.requests().back();
            EXPECT_EQ(last.target, "/to");
            EXPECT_EQ(last.method, becomes_get ? "GET" : method);
            EXPECT_EQ(last.body, becomes_get ? "" : body);
            EXPECT_EQ(last.headers.contains("Content-Length"), !becomes_get && sends_body);
            EXPECT_EQ(last.headers.contains("Content-Type"), !becomes_get);
            EXPECT_EQ(last.headers.contains("Content-Language"), !becomes_get);
            EXPECT_EQ(last.headers.get("X-Kept").value_or(""), "k");
            EXPECT_FALSE(last.headers.contains("Expect"));
        }
    EXPECT_EQ(s.connections(), 1U);
}

TEST_F(redirects, a_303_makes_a_plain_get_of_1_get_with_a_body) {
    EXPECT_EQ(status_of(follow(redirect(303, "/to"), {.body = "query"})), 200);
    EXPECT_EQ(s.requests().back().method, "GET");
    EXPECT_EQ(s.requests().back().body, "");
    EXPECT_FALSE(s.requests().back().headers.contains("Content-Length"));
}

TEST_F(redirects, each_of_2_attempts_begins_with_the_request_as_it_was) {
    s.on("/b", {redirect(303, "/to"), redirect(303, "/to")});
    s.on("/to", {reply(503), reply(200)});
    const r2::attempt a = c.post(s.url("/b"), "text", quick({.max_attempts = 2})).finish();
    EXPECT_EQ(status_of(a), 200);
    EXPECT_EQ(a.number(), 2);
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 4U);
    for (const int i : {0, 2}) EXPECT_EQ(all[i].method + all[i].target + all[i].body, "POST/btext");
    for (const int i : {1, 3}) EXPECT_EQ(all[i].method + all[i].target + all[i].body, "GET/to");
}

TEST_F(redirects, of_max_redirects_hops_all_are_followed_and_1_more_is_too_many) {
    const nginx& n = nginx::shared();
    for (const int max : {1, 3, 10}) {
        const auto chain = [&](int hops) { return n.http("/redirect/302/chain/" + std::to_string(hops)); };
        const r2::attempt fits = c.get(chain(max), quick({.max_redirects = max})).finish();
        ASSERT_EQ(status_of(fits), 200) << fits.error().message();
        EXPECT_EQ(fits.sends(), max + 1);
        EXPECT_EQ(fits.response()->body, "hello\n");
        EXPECT_EQ(fits.response()->url, n.http("/hello"));
        const r2::attempt over = c.get(chain(max + 1), quick({.max_redirects = max})).finish();
        EXPECT_TRUE(over.error() == r2::errc::too_many_redirects) << over.error().message();
        EXPECT_EQ(over.sends(), max + 1);
    }
    EXPECT_EQ(status_of(c.get(n.http("/redirect/302/chain/11"), quick()).finish()), 0) << "10 is the default";
}

TEST_F(redirects, a_loop_ends_after_1_more_send_than_redirects) {
    const r2::attempt a =
        c.get(nginx::shared().http("/loop?6"), quick({.max_attempts = 3, .max_redirects = 5})).finish();
    EXPECT_TRUE(a.error() == r2::errc::too_many_redirects) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.sends(), 6);
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
    EXPECT_EQ(a.number(), 1);
}

TEST_F(redirects, where_0_or_fewer_are_followed_a_redirect_is_the_response) {
    for (const int none : {0, -1}) {
        const r2::attempt a = follow(redirect(302, "/to"), {}, {.max_redirects = none});
        ASSERT_EQ(status_of(a), 302) << a.error().message();
        EXPECT_EQ(a.response()->headers.get("Location"), "/to");
        EXPECT_EQ(a.response()->body, "moved");
        EXPECT_EQ(a.response()->url, s.url("/a/from?old"));
        EXPECT_EQ(a.sends(), 1);
        EXPECT_EQ(a.ended(), r2::ended::succeeded);
    }
    EXPECT_EQ(s.request_count(), 2U);
}

TEST_F(redirects, after_a_3xx_that_leads_nowhere_0_more_are_sent) {
    for (const answer& what : {reply(302, "moved"), reply(300, "", {{"Location", "/to"}}),
                               reply(304, "", {{"Location", "/to"}}), reply(201, "", {{"Location", "/to"}})}) {
        const r2::attempt a = follow(what);
        EXPECT_NE(status_of(a), 0) << a.error().message();
        EXPECT_EQ(a.sends(), 1);
    }
    EXPECT_EQ(s.request_count(), 4U);
}

struct place {
    const char* location;
    const char* target;
    const char* fragment;
};

TEST_F(redirects, each_of_14_references_leads_where_rfc_3986_says) {
    const place table[] = {
        {"/b", "/b", ""},
        {"b", "/a/b", ""},
        {"./b", "/a/b", ""},
        {"../b", "/b", ""},
        {"../../b/./c/../d", "/b/d", ""},
        {"?new", "/a/from?new", ""},
        {"/b?x=/../y", "/b?x=/../y", ""},
        {"/b c", "/b%20c", ""},
        {"/b%20c?d e", "/b%20c?d", ""},
        {"/\xC3\xA9", "/%c3%a9", ""},
        {"/b#part", "/b", "#part"},
        {"b?c#part", "/a/b?c", "#part"},
        {"//HOST/b", "/b", ""},
        {"http://HOST/b", "/b", ""},
    };
    static_assert(std::size(table) == 14);
    for (const auto& [location, target, fragment] : table) {
        SCOPED_TRACE(location);
        std::string where = location;
        if (const auto at = where.find("HOST"); at != std::string::npos)
            where.replace(at, 4, "127.0.0.1:" + std::to_string(s.port()));
        const r2::attempt a = follow(redirect(302, where));
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        const std::string asked = s.requests().back().target;
        if (std::string_view(target) == "/b%20c?d") {
            EXPECT_TRUE(asked == "/b%20c?d+e" || asked == "/b%20c?d%20e") << asked;
        } else {
            std::string lower = asked;
            for (char& ch : lower) ch = r2::detail::lower(ch);
            EXPECT_EQ(lower, target);
            EXPECT_EQ(a.response()->url, s.url(asked + fragment));
        }
    }
}

// RFC 9110, 10.2.2: a Location without a fragment inherits it.
TEST_F(redirects, a_fragment_outlives_2_hops) {
    s.on("/1", {redirect(302, "/2")});
    s.on("/2", {redirect(302, "/3")});
    const r2::attempt a = c.get(s.url("/1#part"), quick()).finish();
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->url, s.url("/3#part"));
}

r2::headers all_secrets() {
    return {{"Authorization", "Bearer secret"},
            {"Cookie", "id=secret"},
            {"Proxy-Authorization", "Basic secret"},
            {"X-Api-Key", "secret"},
            {"Host", "virtual.example"},
            {"X-Plain", "plain"}};
}

class origins : public redirects {
protected:
    r2::client c{{.secret_headers = {"x-api-KEY"}}};
    server other;
};

TEST_F(origins, another_one_gets_none_of_6_credentials) {
    s.script({redirect(307, other.url("/to"))});
    const std::string url = "http://me:secret@127.0.0.1:" + std::to_string(s.port()) + "/";
    for (const bool by_url : {false, true}) {
        r2::headers fields = all_secrets();
        if (by_url) fields.erase("Authorization");
        s.script({redirect(307, other.url("/to"))});
        const r2::attempt a = c.post(by_url ? url : s.url(), "b", quick({.headers = fields})).finish();
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.sends(), 2);
        EXPECT_EQ(a.response()->url, other.url("/to"));
        EXPECT_EQ(s.requests().back().headers.get("Authorization").value_or(""),
                  by_url ? "Basic bWU6c2VjcmV0" : "Bearer secret");
        const recorded_request q = other.requests().back();
        for (const char* name : {"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key"})
            EXPECT_FALSE(q.headers.contains(name)) << q.head;
        EXPECT_EQ(q.head.find("secret"), std::string::npos) << q.head;
        EXPECT_EQ(q.headers.get("Host").value_or(""), "127.0.0.1:" + std::to_string(other.port()));
        EXPECT_EQ(q.headers.get("X-Plain").value_or(""), "plain");
        EXPECT_EQ(q.body, "b");
    }
}

TEST_F(origins, the_same_one_gets_all_6_fields_again) {
    s.script({redirect(307, "/to")});
    c.post(s.url("/from"), "b", quick({.headers = all_secrets()})).finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 2U);
    for (const auto& [name, value] : all_secrets()) EXPECT_EQ(all[1].headers.get(name).value_or(""), value);

    s.script({redirect(302, s.url("/to"))});
    const std::string host = "127.0.0.1:" + std::to_string(s.port());
    EXPECT_EQ(status_of(c.get("http://me:secret@" + host + "/from", quick()).finish()), 200);
    EXPECT_EQ(s.requests().back().headers.get("Authorization").value_or(""), "Basic bWU6c2VjcmV0");
}

TEST_F(origins, of_3_hops_there_and_back_only_the_first_has_credentials) {
    s.script({redirect(302, other.url("/there"))});
    other.script({redirect(302, s.url("/back"))});
    const std::string host = "127.0.0.1:" + std::to_string(s.port());
    r2::headers fields = all_secrets();
    fields.erase("Authorization");
    const r2::attempt a = c.get("http://me:secret@" + host + "/from", quick({.headers = fields})).finish();
    EXPECT_EQ(a.sends(), 3);
    EXPECT_EQ(s.requests().back().target, "/back");
    EXPECT_EQ(s.requests().back().head.find("secret"), std::string::npos) << s.requests().back().head;
}

TEST_F(origins, the_next_of_2_attempts_has_its_credentials_again) {
    s.default_answer(redirect(302, other.url("/to")));
    other.default_answer(reply(503));
    const std::string host = "127.0.0.1:" + std::to_string(s.port());
    c.get("http://me:secret@" + host + "/from", quick({.max_attempts = 2, .headers = {{"Cookie", "a"}}})).finish();
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 2U);
    for (const recorded_request& q : all) {
        EXPECT_EQ(q.headers.get("Authorization"), "Basic bWU6c2VjcmV0");
        EXPECT_EQ(q.headers.get("Cookie"), "a");
    }
}

TEST_F(origins, the_credentials_in_1_location_are_a_strangers) {
    s.script({redirect(302, "http://evil:word@127.0.0.1:" + std::to_string(s.port()) + "/same"), reply(200)});
    const r2::attempt a = c.get(s.url(), quick()).finish();
    EXPECT_EQ(a.response()->url, s.url("/same"));
    EXPECT_FALSE(s.requests().back().headers.contains("Authorization"));
    s.script({redirect(302, "http://evil:word@127.0.0.1:" + std::to_string(other.port()) + "/other")});
    EXPECT_EQ(status_of(c.get(s.url(), quick()).finish()), 200);
    EXPECT_FALSE(other.requests().back().headers.contains("Authorization"));
}

TEST_F(origins, what_configure_set_of_3_credentials_stays_with_the_first) {
    r2::client own({.configure = [](CURL* easy) {
        curl_easy_setopt(easy, CURLOPT_USERPWD, "me:secret");
        curl_easy_setopt(easy, CURLOPT_COOKIE, "id=secret");
    }});
    s.script({redirect(302, other.url("/to"))});
    for (int i = 0; i < 2; ++i) EXPECT_EQ(status_of(own.get(s.url(), quick()).finish()), 200);
    EXPECT_FALSE(other.requests().back().headers.contains("Authorization"));
    EXPECT_FALSE(other.requests().back().headers.contains("Cookie"));
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 2U);
    for (const recorded_request& q : all) {
        EXPECT_EQ(q.headers.get("Authorization"), "Basic bWU6c2VjcmV0");
        EXPECT_EQ(q.headers.get("Cookie"), "id=secret");
    }
}

TEST_F(redirects, to_what_is_not_http_sends_1_and_reads_nothing) {
    const temporary_directory d;
    const std::string locations[] = {"file://" + d.file("f", "secret"),
                                     "gopher" + s.url("/secret").substr(4),
                                     "ftp" + s.url("/secret").substr(4),
                                     "http://[secret/",
                                     "http://127.0.0.1:99999/secret",
                                     "http://",
                                     "http://secret host/"};
    for (const std::string& location : locations) {
        SCOPED_TRACE(location);
        const std::size_t before = s.request_count();
        const r2::attempt a = follow(redirect(302, location));
        EXPECT_EQ(status_of(a), 0);
        EXPECT_TRUE(a.error() == r2::errc::protocol) << a.error().message();
        EXPECT_EQ(a.error().sent(), r2::sent::maybe);
        EXPECT_EQ(a.sends(), 1);
        EXPECT_EQ(a.error().message().find("secret"), std::string::npos) << a.error().message();
        EXPECT_EQ(s.request_count(), before + 1);
    }
}

TEST_F(redirects, from_https_to_http_none_of_2_ways_leads) {
    const nginx n;
    r2::client tls({.ca_file = n.ca_file()});
    const r2::attempt direct = tls.get(n.https("/downgrade"), quick()).finish();
    EXPECT_TRUE(direct.error() == r2::errc::protocol) << direct.error().message();
    EXPECT_EQ(direct.sends(), 1);
    const r2::attempt by_detour = tls.get(n.http("/upgrade"), quick()).finish();
    EXPECT_TRUE(by_detour.error() == r2::errc::protocol) << by_detour.error().message();
    EXPECT_EQ(by_detour.sends(), 2);
    EXPECT_EQ(n.requests_seen("/hello"), 0U);
    const r2::attempt upwards = tls.get(n.http("/to?u=" + n.https("/hello")), quick()).finish();
    ASSERT_EQ(status_of(upwards), 200) << upwards.error().message();
    EXPECT_EQ(upwards.response()->url, n.https("/hello"));
}

TEST_F(redirects, the_1_timeout_of_an_attempt_is_over_all_its_hops) {
    s.default_answer(late(20ms, redirect(302, "/again")));
    const r2::attempt a = c.get(s.url(), quick({.timeout = 500ms, .max_redirects = 1'000'000})).finish();
    EXPECT_TRUE(a.error() == r2::errc::timeout) << a.error().message();
    // The last request may have been sent just as the time was over.
    EXPECT_TRUE(s.wait_until_begun(static_cast<std::size_t>(a.sends()), patience));
    EXPECT_EQ(static_cast<std::size_t>(a.sends()), s.begun());
}

}  // namespace
