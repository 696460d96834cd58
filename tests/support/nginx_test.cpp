#include "nginx.hpp"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace {

using r2::testkit::nginx;

struct outcome {
    CURLcode code = CURLE_OK;
    long status = 0;
    long version = 0;
    long redirects = 0;
    std::string body;
    std::map<std::string, std::string> fields;
};

std::size_t append(char* from, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(from, size * count);
    return size * count;
}

std::size_t add_field(char* from, std::size_t size, std::size_t count, void* to) {
    const std::string line(from, size * count);
    const auto colon = line.find(": ");
    if (colon != line.npos) {
        auto name = line.substr(0, colon);
        for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        auto& fields = *static_cast<std::map<std::string, std::string>*>(to);
        fields[name] = line.substr(colon + 2, line.size() - colon - 4);
    }
    return size * count;
}

class easy {
public:
    easy() {
        set(CURLOPT_TIMEOUT_MS, 10'000L);
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROXY, "");
        set(CURLOPT_CAINFO, nginx::shared().ca_file().c_str());
        set(CURLOPT_WRITEFUNCTION, &append);
        set(CURLOPT_HEADERFUNCTION, &add_field);
        set(CURLOPT_MAXREDIRS, 20L);
    }

    ~easy() { curl_easy_cleanup(handle_); }
    easy(const easy&) = delete;
    easy& operator=(const easy&) = delete;

    template <class value> void set(CURLoption option, value what) { curl_easy_setopt(handle_, option, what); }

    outcome run(const std::string& url) {
        outcome got;
        set(CURLOPT_URL, url.c_str());
        set(CURLOPT_WRITEDATA, &got.body);
        set(CURLOPT_HEADERDATA, &got.fields);
        got.code = curl_easy_perform(handle_);
        curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &got.status);
        curl_easy_getinfo(handle_, CURLINFO_HTTP_VERSION, &got.version);
        curl_easy_getinfo(handle_, CURLINFO_REDIRECT_COUNT, &got.redirects);
        return got;
    }

private:
    CURL* handle_ = curl_easy_init();
};

TEST(nginx, says_hello_over_http_1_1) {
    easy e;
    const auto got = e.run(nginx::shared().http("/hello"));
    EXPECT_EQ(got.code, CURLE_OK);
    EXPECT_EQ(got.version, CURL_HTTP_VERSION_1_1);
    EXPECT_EQ(got.body, "hello\n");
    EXPECT_EQ(got.fields.at("content-type"), "text/plain");
}

TEST(nginx, says_hello_over_tls_with_http_2) {
    easy e;
    const auto got = e.run(nginx::shared().https("/hello"));
    EXPECT_EQ(got.code, CURLE_OK);
    EXPECT_EQ(got.version, CURL_HTTP_VERSION_2_0);
    EXPECT_EQ(got.body, "hello\n");
}

TEST(nginx, says_hello_over_cleartext_http_2) {
    easy e;
    e.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
    const auto got = e.run(nginx::shared().h2c("/hello"));
    EXPECT_EQ(got.code, CURLE_OK);
    EXPECT_EQ(got.version, CURL_HTTP_VERSION_2_0);
}

TEST(nginx, shows_an_expired_certificate_and_one_for_another_host) {
    easy e;
    EXPECT_EQ(e.run(nginx::shared().expired("/hello")).code, CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(e.run(nginx::shared().wrong_host("/hello")).code, CURLE_PEER_FAILED_VERIFICATION);
    e.set(CURLOPT_SSL_VERIFYHOST, 0L);
    EXPECT_EQ(e.run(nginx::shared().wrong_host("/hello")).code, CURLE_OK);
    EXPECT_EQ(e.run(nginx::shared().expired("/hello")).code, CURLE_PEER_FAILED_VERIFICATION);
    e.set(CURLOPT_SSL_VERIFYPEER, 0L);
    EXPECT_EQ(e.run(nginx::shared().expired("/hello")).code, CURLE_OK);
}

TEST(nginx, has_a_certificate_no_default_authority_signed) {
    easy e;
    e.set(CURLOPT_CAINFO, "/etc/ssl/certs/ca-certificates.crt");
    EXPECT_NE(e.run(nginx::shared().https("/hello")).code, CURLE_OK);
}

TEST(nginx, answers_with_each_status) {
    for (const bool tls : {false, true}) {
        easy e;
        for (const int status :
             {200, 201, 204, 301, 302, 303, 304, 307, 308, 400, 404, 408, 425, 429, 500, 501, 502, 503, 504}) {
            const auto path = "/status/" + std::to_string(status);
            const auto got = e.run(tls ? nginx::shared().https(path) : nginx::shared().http(path));
            EXPECT_EQ(got.code, CURLE_OK) << status;
            EXPECT_EQ(got.status, status);
            if (status == 429) {
                EXPECT_EQ(got.fields.at("retry-after"), "7");
            }
            if (status / 100 == 3 && status != 304) {
                EXPECT_EQ(got.fields.at("location"), "/hello");
            }
        }
    }
}

TEST(nginx, redirects_in_chains_and_loops) {
    easy e;
    e.set(CURLOPT_FOLLOWLOCATION, 1L);
    for (const auto* code : {"301", "302", "303", "307", "308"}) {
        const auto got = e.run(nginx::shared().http("/redirect/" + std::string(code) + "/chain/12"));
        EXPECT_EQ(got.redirects, 12);
        EXPECT_EQ(got.body, "hello\n");
    }
    EXPECT_EQ(e.run(nginx::shared().http("/redirect/302/chain/1")).redirects, 1);
    EXPECT_EQ(e.run(nginx::shared().http("/redirect/302/chain/0")).redirects, 0);
    EXPECT_EQ(e.run(nginx::shared().http("/loop")).code, CURLE_TOO_MANY_REDIRECTS);
}

TEST(nginx, redirects_to_a_given_url_and_between_the_schemes) {
    easy e;
    e.set(CURLOPT_FOLLOWLOCATION, 1L);
    const auto& n = nginx::shared();
    EXPECT_EQ(e.run(n.http("/to?u=" + n.https("/status/503"))).status, 503);
    const auto down = e.run(n.https("/downgrade"));
    EXPECT_EQ(down.body, "hello\n");
    EXPECT_EQ(down.version, CURL_HTTP_VERSION_1_1);
    EXPECT_EQ(e.run(n.http("/upgrade")).redirects, 2);
}

TEST(nginx, compresses_if_the_client_accepts_it) {
    easy e;
    const auto plain = e.run(nginx::shared().http("/gzip"));
    EXPECT_FALSE(plain.fields.contains("content-encoding"));
    e.set(CURLOPT_ACCEPT_ENCODING, "gzip");
    const auto packed = e.run(nginx::shared().http("/gzip"));
    EXPECT_EQ(packed.fields.at("content-encoding"), "gzip");
    EXPECT_EQ(packed.body, plain.body);
    EXPECT_GT(plain.body.size(), 100'000U);
}

TEST(nginx, echoes_the_fields_of_a_request) {
    for (const bool tls : {false, true}) {
        easy e;
        auto* more = curl_slist_append(nullptr, "Idempotency-Key: k1");
        more = curl_slist_append(more, "Authorization: Bearer t");
        e.set(CURLOPT_HTTPHEADER, more);
        e.set(CURLOPT_COOKIE, "a=b; c=d");
        e.set(CURLOPT_POSTFIELDS, "x=y");
        const auto& n = nginx::shared();
        const auto got = e.run(tls ? n.https("/echo?q") : n.http("/echo?q"));
        curl_slist_free_all(more);
        const auto port = std::to_string(tls ? n.https_port() : n.http_port());
        for (const auto& line : {std::string("method: POST"), std::string("uri: /echo?q"), "host: 127.0.0.1:" + port,
                                 std::string("authorization: Bearer t"), std::string("cookie: a=b; c=d"),
                                 std::string("content-type: application/x-www-form-urlencoded"),
                                 std::string("content-length: 3"), std::string("idempotency-key: k1")}) {
            EXPECT_NE(got.body.find(line + "\n"), std::string::npos) << line << " in\n" << got.body;
        }
    }
}

TEST(nginx, serves_a_mebibyte_and_about_twelve_fields) {
    easy e;
    EXPECT_EQ(e.run(nginx::shared().https("/size/1m")).body, std::string(1024 * 1024, 'm'));
    const auto got = e.run(nginx::shared().http("/fields"));
    EXPECT_GE(got.fields.size(), 12U);
    EXPECT_EQ(got.fields.at("etag"), "\"5d8c72a5edda8d6a\"");
    EXPECT_EQ(got.fields.at("content-type"), "application/json");
}

TEST(nginx, stores_what_is_put) {
    const nginx n;
    easy e;
    e.set(CURLOPT_CUSTOMREQUEST, "PUT");
    e.set(CURLOPT_POSTFIELDS, "stored");
    EXPECT_EQ(e.run(n.http("/put/folder/file")).status, 201);
    EXPECT_EQ(e.run(n.http("/put/folder/file")).status, 204);
    easy reader;
    EXPECT_EQ(reader.run(n.http("/put/folder/file")).body, "stored");
}

TEST(nginx, logs_requests_with_the_connections_they_came_on) {
    const nginx n;
    easy one;
    easy other;
    one.run(n.http("/hello?log=1"));
    one.run(n.http("/hello?log=2"));
    other.run(n.https("/status/503?log=3"));
    const auto log = n.log("log=");
    ASSERT_EQ(log.size(), 3U);
    EXPECT_EQ(log[0].method, "GET");
    EXPECT_EQ(log[0].uri, "/hello?log=1");
    EXPECT_EQ(log[0].protocol, "HTTP/1.1");
    EXPECT_EQ(log[0].connection, log[1].connection);
    EXPECT_NE(log[0].connection, log[2].connection);
    EXPECT_EQ(log[2].protocol, "HTTP/2.0");
    EXPECT_EQ(log[2].status, 503);
    EXPECT_EQ(n.requests_seen("log=2"), 1U);
    EXPECT_EQ(n.requests_seen("never asked for"), 0U);
}

TEST(nginx, outlives_the_thread_that_started_it_and_ends_with_its_object) {
    std::unique_ptr<nginx> own;
    std::thread([&own] { own = std::make_unique<nginx>(); }).join();
    easy e;
    const auto url = own->http("/hello");
    EXPECT_EQ(e.run(url).body, "hello\n");
    own.reset();
    easy late;
    EXPECT_EQ(late.run(url).code, CURLE_COULDNT_CONNECT);
}

TEST(nginx, counts_a_request_as_soon_as_it_was_answered) {
    const nginx n;
    easy e;
    for (std::size_t i = 1; i <= 200; ++i) {
        ASSERT_EQ(e.run(n.https("/hello?at-once")).code, CURLE_OK);
        ASSERT_EQ(n.requests_seen("at-once"), i);
    }
}

}  // namespace
