#include "r2/curl/upload.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "curl/fixture.hpp"

namespace {

using namespace r2::testkit;

class upload : public testing::Test {
protected:
    server s;
    r2::client c;
    temporary_directory dir;
};

TEST_F(upload, a_text_of_all_256_bytes_arrives_as_it_is) {
    const std::string text = all_bytes(1000) + std::string("\0\r\n\0", 4);
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"})
        c.send({.method = method, .url = s.url(), .body = text}, quick()).finish();
    ASSERT_EQ(s.request_count(), 4U);
    for (const recorded_request& q : s.requests()) EXPECT_EQ(q.body, text);
}

TEST_F(upload, a_file_of_64_mib_takes_less_than_16_mib_of_memory) {
    s.keep_bodies(false);
    const std::string path = dir / "big";
    std::uint64_t hash = fnv1a("");
    {
        std::ofstream file(path, std::ios::binary);
        std::string block = all_bytes(1 << 20);
        for (int i = 0; i < 64; ++i) {
            block[0] = static_cast<char>(i);
            file.write(block.data(), static_cast<std::streamsize>(block.size()));
            hash = fnv1a(block, hash);
        }
    }
    c.get(s.url(), quick()).finish();
    const memory_growth memory;
    const r2::attempt a = c.put(s.url(), r2::body::file(path), quick({.timeout = 4 * patience})).finish();
    EXPECT_LT(memory.bytes(), 16U << 20);
    EXPECT_EQ(status_of(a), 200) << a.error().message();
    const recorded_request q = s.requests().back();
    EXPECT_TRUE(q.complete);
    EXPECT_EQ(q.headers.get("Content-Length").value_or(""), "67108864");
    EXPECT_EQ(q.body_size, 64U << 20);
    EXPECT_EQ(q.body_hash, hash);
}

TEST_F(upload, each_of_3_attempts_has_the_whole_body) {
    const std::string text = all_bytes(300'000);
    s.default_answer(reply(503));
    const r2::body bodies[] = {text, r2::body::file(dir.file("f", text))};
    for (const r2::body& b : bodies)
        for (const char* method : {"POST", "PUT"})
            c.send({.method = method, .url = s.url(), .body = b}, quick({.max_attempts = 3})).finish();
    ASSERT_EQ(s.request_count(), 12U);
    for (const recorded_request& q : s.requests()) EXPECT_TRUE(q.body == text) << q.head;
    EXPECT_EQ(s.connections(), 1U);
}

TEST_F(upload, each_attempt_of_2_after_a_cut_one_has_the_whole_body) {
    const std::string text = all_bytes(3 << 20);
    s.on_connection(1, fault::reset_in_request(100'000));
    const r2::body bodies[] = {text, r2::body::file(dir.file("f", text))};
    for (const r2::body& b : bodies) {
        r2::client own;
        own.put(s.url(), b, quick({.max_attempts = 2})).finish();
    }
    const std::vector<recorded_request> all = s.requests();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_FALSE(all[0].complete);
    EXPECT_TRUE(all[1].body == text);
    EXPECT_TRUE(all[2].body == text);
}

TEST_F(upload, both_of_2_redirects_that_keep_the_body_take_it_along_byte_for_byte) {
    const std::string text = all_bytes(300'000);
    const r2::body bodies[] = {text, r2::body::file(dir.file("f", text))};
    std::size_t before = 0;
    for (const r2::body& b : bodies)
        for (const char* method : {"POST", "PUT", "PATCH", "REPORT"})
            for (const int status : {307, 308}) {
                s.on("/from", {reply(status, "", {{"Location", "/to"}})});
                const r2::request q = {.method = method, .url = s.url("/from"), .body = b};
                const r2::attempt a = c.send(q, quick({.content_type = "x/y"})).finish();
                EXPECT_EQ(status_of(a), 200) << a.error().message();
                EXPECT_EQ(a.sends(), 2);
                const std::vector<recorded_request> all = s.requests();
                ASSERT_EQ(all.size(), before + 2);
                for (; before < all.size(); ++before) {
                    EXPECT_EQ(all[before].method, method);
                    EXPECT_EQ(all[before].headers.get("Content-Type").value_or(""), "x/y");
                    EXPECT_EQ(all[before].headers.get("Content-Length").value_or(""), "300000");
                    EXPECT_TRUE(all[before].body == text) << all[before].head;
                }
                EXPECT_EQ(all.back().target, "/to");
            }
}

TEST_F(upload, an_empty_file_is_a_body_of_0_bytes) {
    c.put(s.url(), r2::body::file(dir.file("empty", "")), quick()).finish();
    c.post(s.url(), r2::body::file(dir.file("empty", "")), quick()).finish();
    ASSERT_EQ(s.request_count(), 2U);
    for (const recorded_request& q : s.requests()) {
        EXPECT_EQ(q.headers.get("Content-Length").value_or(""), "0");
        EXPECT_FALSE(q.headers.contains("Transfer-Encoding"));
        EXPECT_TRUE(q.complete);
    }
    EXPECT_EQ(s.requests().back().method, "POST");
}

void expect_unreadable(const r2::attempt& a) {
    EXPECT_TRUE(a.error() == r2::errc::body_unreadable) << status_of(a) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::no);
    EXPECT_EQ(a.sends(), 0);
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
}

TEST_F(upload, of_a_file_that_is_none_0_requests_are_sent) {
    std::filesystem::create_directory(dir / "folder");
    for (const std::string& path : {dir / "missing", dir / "folder", std::string(), dir / "folder/"}) {
        r2::attempts range = c.put(s.url(), r2::body::file(path), quick({.max_attempts = 3}));
        int attempts = 0;
        for (const r2::attempt& a : range) {
            ++attempts;
            expect_unreadable(a);
        }
        EXPECT_EQ(attempts, 1) << path;
    }
    EXPECT_EQ(s.request_count(), 0U);
    EXPECT_EQ(status_of(c.get(s.url(), quick()).finish()), 200);
}

// To open a FIFO blocks until somebody writes to it.
TEST_F(upload, of_a_fifo_0_requests_are_sent_and_nobody_waits) {
    const std::string path = dir / "fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    std::binary_semaphore over(0);
    bool freed = false;
    std::thread rescue([&] {
        if (over.try_acquire_for(patience)) return;
        freed = true;
        const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) ::close(fd);
    });
    expect_unreadable(c.put(s.url(), r2::body::file(path), quick()).finish());
    over.release();
    rescue.join();
    EXPECT_FALSE(freed);
    EXPECT_EQ(s.request_count(), 0U);
}

TEST_F(upload, a_file_that_vanishes_after_attempt_1_is_1_clear_error) {
    s.default_answer(reply(503));
    const std::string path = dir.file("f", "text");
    std::vector<std::string> outcomes;
    for (const r2::attempt& a : c.put(s.url(), r2::body::file(path), quick({.max_attempts = 5}))) {
        outcomes.push_back(a.response() ? "response" : a.error().message());
        std::filesystem::remove(path);
        if (a.number() == 2) expect_unreadable(a);
    }
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0], "response");
    EXPECT_NE(outcomes[1].find(path), std::string::npos) << outcomes[1];
    EXPECT_EQ(s.request_count(), 1U);
}

TEST_F(upload, a_file_that_changes_after_attempt_1_is_read_afresh) {
    s.default_answer(reply(503));
    const std::string path = dir.file("f", "text");
    for (const r2::attempt& a : c.put(s.url(), r2::body::file(path), quick({.max_attempts = 2})))
        dir.file("f", std::string(a.number(), 'n') + "ew");
    ASSERT_EQ(s.request_count(), 2U);
    EXPECT_EQ(s.requests()[0].body, "text");
    EXPECT_EQ(s.requests()[1].body, "new");
}

// The server had the first request: the error must not call it unsent.
TEST_F(upload, a_file_that_vanishes_between_2_hops_is_1_error_that_maybe_was_sent) {
    const std::string path = dir.file("f", "text");
    s.handle([&](const recorded_request&) {
        std::filesystem::remove(path);
        return reply(307, "", {{"Location", "/to"}});
    });
    const r2::attempt a = c.put(s.url("/from"), r2::body::file(path), quick()).finish();
    EXPECT_TRUE(a.error() == r2::errc::body_unreadable) << a.error().message();
    EXPECT_EQ(a.sends(), 1);
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(s.request_count(), 1U);
}

/// Calls `f` once during an upload.
struct meanwhile {
    std::function<void()> f;

    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
        auto& f = static_cast<meanwhile*>(self)->f;
        if (sent > 0 && f) std::exchange(f, {})();
        return 0;
    }
    r2::client_options options() {
        return {.configure = [this](CURL* easy) {
            curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
            curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
        }};
    }
};

TEST_F(upload, a_file_that_shrinks_to_0_bytes_while_it_is_sent_is_a_clear_error) {
    const std::string path = dir.file("f", "");
    std::filesystem::resize_file(path, 64 << 20);
    meanwhile shrink{[&] { std::filesystem::resize_file(path, 0); }};
    r2::client own(shrink.options());
    const r2::attempt a = own.put(s.url(), r2::body::file(path), quick({.max_attempts = 3})).finish();
    EXPECT_TRUE(a.error() == r2::errc::body_unreadable) << status_of(a) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.sends(), 1);
    EXPECT_EQ(a.number(), 1);
    ASSERT_TRUE(s.wait_for_requests(1, patience));
    EXPECT_FALSE(s.requests().front().complete);
}

TEST_F(upload, of_a_file_that_grows_while_it_is_sent_the_16_mib_announced_are_sent) {
    s.keep_bodies(false);
    const std::string path = dir.file("f", "");
    std::filesystem::resize_file(path, 16 << 20);
    meanwhile grow{[&] { std::filesystem::resize_file(path, 17 << 20); }};
    r2::client own(grow.options());
    EXPECT_EQ(status_of(own.put(s.url(), r2::body::file(path), quick()).finish()), 200);
    EXPECT_EQ(status_of(own.get(s.url(), quick()).finish()), 200);
    ASSERT_EQ(s.request_count(), 2U);
    EXPECT_EQ(s.requests()[0].body_size, 16U << 20);
    EXPECT_EQ(s.requests()[1].method, "GET");
    EXPECT_EQ(s.connections(), 1U);
}

// A server may respond early and close the connection.
TEST_F(upload, a_response_before_the_end_of_a_body_of_64_mib_is_1_response_or_1_error) {
    const std::string path = dir.file("f", "");
    std::filesystem::resize_file(path, 64 << 20);
    s.on_every_connection(fault::answer_after_head(reply(413, "too much", {{"Connection", "close"}})));
    const r2::attempt a = c.put(s.url(), r2::body::file(path), quick()).finish();
    EXPECT_TRUE(status_of(a) == 413 || a.error() == r2::errc::disconnected) << a.error().message();
    EXPECT_EQ(a.sends(), 1);
    EXPECT_EQ(s.request_count(), 1U);
}

}  // namespace
