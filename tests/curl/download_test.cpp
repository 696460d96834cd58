#include "r2/curl/download.hpp"

#include <string>
#include <vector>

#include "curl/bomb.hpp"
#include "curl/fixture.hpp"
#include "support/nginx.hpp"

namespace {

using namespace r2::testkit;

class download : public testing::Test {
protected:
    r2::attempt get(const answer& what, r2::options o = {}) {
        s.script({what});
        return c.get(s.url(), quick(std::move(o))).finish();
    }

    server s;
    r2::client c;
};

void expect_error(const r2::attempt& a, r2::errc kind, int sends = 1) {
    EXPECT_EQ(status_of(a), 0);
    EXPECT_TRUE(a.error() == kind) << a.error().message();
    EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    EXPECT_EQ(a.sends(), sends);
}

constexpr std::uint64_t no_end = 1'000'000'000'000;

TEST_F(download, a_body_of_all_256_bytes_arrives_as_it_is) {
    const std::string text = all_bytes(100'000);
    const r2::attempt plain = get(reply(200, text));
    ASSERT_EQ(status_of(plain), 200) << plain.error().message();
    EXPECT_TRUE(plain.response()->body == text);
    const r2::attempt chunked = get(reply(200).chunked({text.substr(0, 7), text.substr(7)}));
    ASSERT_EQ(status_of(chunked), 200) << chunked.error().message();
    EXPECT_TRUE(chunked.response()->body == text);
    const r2::attempt to_the_end = get(raw("HTTP/1.0 200 OK\r\n\r\n" + text).close());
    ASSERT_EQ(status_of(to_the_end), 200) << to_the_end.error().message();
    EXPECT_TRUE(to_the_end.response()->body == text);
}

TEST_F(download, a_body_trickles_in_by_pieces_of_1_byte) {
    const r2::attempt a = get(reply(200, "trickle").trickle(1, 1ms));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->body, "trickle");
}

TEST_F(download, a_body_of_max_body_bytes_passes_and_1_more_is_too_large) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{200'000}}) {
        const std::string fits(size, 'f'), over(size + 1, 'o');
        const r2::options o{.max_body = size};
        const r2::attempt plain = get(reply(200, fits), o), chunked = get(reply(200).chunked({fits}), o);
        ASSERT_EQ(status_of(plain), 200) << plain.error().message();
        EXPECT_EQ(plain.response()->body, fits);
        ASSERT_EQ(status_of(chunked), 200) << chunked.error().message();
        EXPECT_EQ(chunked.response()->body, fits);
        expect_error(get(reply(200, over), o), r2::errc::too_large);
        expect_error(get(reply(200).chunked({over}), o), r2::errc::too_large);
        expect_error(get(reply(200).chunked({fits, "1"}), o), r2::errc::too_large);
        expect_error(get(raw("HTTP/1.1 200 OK\r\n\r\n" + over).close(), o), r2::errc::too_large);
    }
}

TEST_F(download, too_large_ends_a_range_at_attempt_1) {
    const r2::attempt a = get(reply(200, "12345"), {.max_attempts = 3, .max_body = 4});
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
    EXPECT_EQ(a.number(), 1);
    EXPECT_EQ(s.request_count(), 1U);
}

TEST_F(download, a_body_without_an_end_takes_less_than_16_mib_of_memory) {
    const memory_growth memory;
    const r2::options o{.max_body = 1 << 20};
    expect_error(get(reply(200, "", {{"Content-Length", "99999999999"}}).repeat("0123456789", no_end), o),
                 r2::errc::too_large);
    expect_error(get(raw("HTTP/1.1 200 OK\r\n\r\n").repeat("0123456789", no_end), o), r2::errc::too_large);
    const std::string piece = chunk("0123456789");
    expect_error(get(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").repeat(piece, no_end), o),
                 r2::errc::too_large);
    EXPECT_LT(memory.bytes(), 16U << 20);
}

// A Content-Length is a claim: memory is taken only for what arrives.
TEST_F(download, a_length_of_90_gb_that_is_not_kept_takes_less_than_16_mib_of_memory) {
    const memory_growth memory;
    const answer lie = reply(200, "few", {{"Content-Length", "90000000000"}}).close();
    expect_error(get(lie, {.max_body = 100'000'000'000}), r2::errc::disconnected);
    EXPECT_LT(memory.bytes(), 16U << 20);
}

TEST_F(download, a_bomb_of_10_kb_that_unpacks_to_10_gb_is_too_large_in_less_than_16_mib_of_memory) {
    const endless_text zeros{"", std::string(1, '\0')};
    // 15 bytes unpack to 284,006 bytes in two steps, and to 45 MB in three.
    const std::string bomb = gzipped(gzipped(gzipped(zeros))).first(10'000);
    const r2::headers packed = {{"Content-Encoding", "gzip, gzip, gzip"}};
    const memory_growth memory;
    expect_error(get(reply(200, bomb, packed), {.max_body = 1 << 20}), r2::errc::too_large);
    expect_error(get(reply(200, bomb, packed), {.max_body = 1}), r2::errc::too_large);
    EXPECT_LT(memory.bytes(), 16U << 20);
}

TEST_F(download, a_packed_body_without_an_end_is_too_large_in_less_than_16_mib_of_memory) {
    const endless_text packed = gzipped({"", "zero"});
    const memory_growth memory;
    const answer endless = raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed.lead);
    expect_error(get(endless.repeat(packed.period, no_end), {.max_body = 1 << 20}), r2::errc::too_large);
    EXPECT_LT(memory.bytes(), 16U << 20);
}

TEST_F(download, a_body_that_nginx_packs_for_1_header_is_unpacked) {
    const r2::attempt plain = c.get(nginx::shared().http("/gzip"), quick()).finish();
    ASSERT_EQ(status_of(plain), 200) << plain.error().message();
    EXPECT_FALSE(plain.response()->headers.contains("Content-Encoding"));
    EXPECT_GT(plain.response()->body.size(), 100'000U);
    const r2::options asking = quick({.headers = {{"Accept-Encoding", "gzip"}}});
    r2::client h2({.http_version = r2::http_version::http2});
    for (const r2::attempt& packed : {c.get(nginx::shared().http("/gzip"), asking).finish(),
                                      h2.get(nginx::shared().h2c("/gzip"), asking).finish()}) {
        ASSERT_EQ(status_of(packed), 200) << packed.error().message();
        EXPECT_EQ(packed.response()->headers.get("Content-Encoding"), "gzip");
        EXPECT_TRUE(packed.response()->body == plain.response()->body);
    }
}

TEST_F(download, the_limit_counts_the_100_kb_unpacked_and_not_the_few_packed) {
    const r2::options asking = quick({.headers = {{"Accept-Encoding", "gzip"}}, .max_body = 100'000});
    expect_error(c.get(nginx::shared().http("/gzip"), asking).finish(), r2::errc::too_large);
}

TEST_F(download, a_deflated_body_of_5_bytes_is_unpacked) {
    const std::string zlib("\x78\x01\x01\x05\0\xfa\xffhello\x06\x2c\x02\x15", 16);
    const r2::attempt a = get(reply(200, zlib, {{"Content-Encoding", "deflate"}}));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->body, "hello");
}

TEST_F(download, a_body_that_is_not_packed_as_it_says_ends_a_range_at_attempt_1) {
    const r2::attempt a = get(reply(200, "no gzip", {{"Content-Encoding", "gzip"}}), {.max_attempts = 3});
    expect_error(a, r2::errc::protocol);
    EXPECT_EQ(a.ended(), r2::ended::not_retryable);
    EXPECT_EQ(s.request_count(), 1U);
}

TEST_F(download, a_head_cut_after_any_of_its_bytes_is_disconnected_and_no_success) {
    const std::string head = "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n";
    for (std::size_t cut = 0; cut < head.size(); ++cut) {
        SCOPED_TRACE(cut);
        expect_error(get(raw(head).cut(cut)), r2::errc::disconnected);
    }
    EXPECT_EQ(status_of(get(raw(head))), 200);
    EXPECT_EQ(s.request_count(), head.size() + 1);
}

TEST_F(download, a_head_of_http_1_0_cut_in_its_fields_is_disconnected) {
    for (const char* head : {"HTTP/1.0 200 OK", "HTTP/1.0 200 OK\r\n", "HTTP/1.0 200 OK\r\nX-A: b\r\n"})
        expect_error(get(raw(head).close()), r2::errc::disconnected);
}

TEST_F(download, a_head_cut_by_a_reset_is_disconnected) {
    for (const std::uint64_t bytes : {5, 13, 20})
        expect_error(get(reply(200).cut(bytes).reset()), r2::errc::disconnected);
}

TEST_F(download, a_body_shorter_than_its_length_by_1_byte_is_disconnected) {
    expect_error(get(raw("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n12345").close()), r2::errc::disconnected);
    expect_error(get(raw("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").close()), r2::errc::disconnected);
    expect_error(get(raw("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n12345").reset()), r2::errc::disconnected);
}

TEST_F(download, a_chunked_body_cut_at_any_of_its_bytes_is_disconnected) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", text = "5\r\nhello\r\n0\r\n\r\n";
    for (std::size_t cut = 0; cut < text.size() - 2; ++cut) {
        SCOPED_TRACE(cut);
        expect_error(get(raw(head + text.substr(0, cut)).close()), r2::errc::disconnected);
    }
}

TEST_F(download, a_response_that_is_not_http_is_1_protocol_error) {
    expect_error(get(raw("garbage\r\n\r\n").close()), r2::errc::protocol);
    expect_error(get(raw("<html>HTTP/0.9</html>").close()), r2::errc::protocol);
    expect_error(get(raw("SSH-2.0-OpenSSH_9.2p1\r\n").hang()), r2::errc::protocol);
    expect_error(get(raw(std::string("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 27)).close()), r2::errc::protocol);
}

TEST_F(download, a_response_that_is_not_http_is_tried_again_up_to_attempt_3) {
    s.default_answer(raw("garbage\r\n\r\n").close());
    const r2::attempt a = c.get(s.url(), quick({.max_attempts = 3})).finish();
    EXPECT_EQ(a.ended(), r2::ended::exhausted);
    EXPECT_EQ(s.request_count(), 3U);
}

TEST_F(download, a_head_without_an_end_is_too_large_in_less_than_16_mib_of_memory) {
    const memory_growth memory;
    const answer endless[] = {
        raw("HTTP/1.1 200 OK\r\n").repeat("X-Field: value\r\n", no_end),
        raw("HTTP/1.1 200 OK\r\nX-Line: ").repeat("v", no_end),
        raw("HTTP/1.1 200 ").repeat("OK", no_end),
        raw("").repeat("HTTP/1.1 100 Continue\r\n\r\n", no_end),
        raw("").repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", no_end),
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n").repeat("T: v\r\n", no_end),
    };
    for (const answer& what : endless) {
        SCOPED_TRACE(&what - endless);
        expect_error(get(what), r2::errc::too_large);
    }
    EXPECT_LT(memory.bytes(), 16U << 20);
}

TEST_F(download, of_3_heads_the_2_informational_ones_are_no_response) {
    const r2::attempt a = get(raw("HTTP/1.1 100 Continue\r\nX-Info: 1\r\n\r\n")
                                  .then("HTTP/1.1 103 Early Hints\r\nX-Info: 2\r\n\r\n")
                                  .then(reply(200, "final", {{"X-Final", "3"}})));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->body, "final");
    EXPECT_FALSE(a.response()->headers.contains("X-Info"));
    EXPECT_EQ(a.response()->headers.get("X-Final"), "3");
    EXPECT_EQ(a.sends(), 1);
}

TEST_F(download, an_end_after_1_informational_head_is_disconnected) {
    expect_error(get(raw("HTTP/1.1 100 Continue\r\n\r\n").close()), r2::errc::disconnected);
    expect_error(get(raw("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n").close()), r2::errc::disconnected);
}

TEST_F(download, of_3_trailers_none_is_a_header_or_a_head) {
    const std::string head = "HTTP/1.1 200 OK\r\nX-Head: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";
    const r2::attempt a = get(raw(head + "X-Trailer: 2\r\nX-Head: 3\r\nHTTP/1.1 500: no head\r\n\r\n"));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->body, "hello");
    EXPECT_FALSE(a.response()->headers.contains("X-Trailer"));
    EXPECT_EQ(a.response()->headers.get_all("X-Head"), std::vector<std::string_view>{"1"});
    EXPECT_EQ(status_of(get(reply(204))), 204);
    EXPECT_EQ(s.connections(), 1U);
}

// RFC 9112, 5.2: a user agent replaces each obsolete folding with spaces.
TEST_F(download, a_value_folded_over_3_lines_is_1_value) {
    const r2::attempt a =
        get(raw("HTTP/1.1 200 OK\r\nX-Folded: one\r\n  two: 2\r\n\tthree\r\nX-Next: n\r\nContent-Length: 0\r\n\r\n"));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->headers.get("X-Folded"), "one two: 2 three");
    EXPECT_EQ(a.response()->headers.get("X-Next"), "n");
    EXPECT_EQ(a.response()->headers.size(), 3U);
}

// RFC 9112, 2.2: a recipient replaces each bare CR with a space, or drops the element.
TEST_F(download, a_value_with_2_bare_crs_has_2_spaces) {
    const r2::attempt a = get(raw("HTTP/1.1 200 OK\r\nX-Odd: one\rX-Forged: two\r three\r\nContent-Length: 0\r\n\r\n"));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->headers.get("X-Odd"), "one X-Forged: two  three");
    EXPECT_EQ(a.response()->headers.size(), 2U);
}

TEST_F(download, a_malformed_field_is_the_servers_fault_in_head_and_trailers) {
    for (const char* answer : {"HTTP/1.1 200 OK\r\n A: folded before any field\r\nContent-Length: 0\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n"}) {
        s.script({raw(answer)});
        const r2::attempt a = r2::client().get(s.url(), quick()).finish();  // a new client each: see curl#11101
        EXPECT_TRUE(a.error() == r2::errc::protocol) << a.error().message();
        EXPECT_EQ(a.error().message(), "protocol error: a field of the response is malformed");
        EXPECT_TRUE(a.error().transient());
        EXPECT_EQ(a.error().sent(), r2::sent::maybe);
    }
}

TEST_F(download, the_5_fields_of_a_head_stay_in_their_order) {
    const r2::attempt a =
        get(raw("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Tight:v\r\nset-cookie: \t b=2 \t \r\n"
                "X-Empty:\r\nContent-Length: 0\r\n\r\n"));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    const r2::headers& h = a.response()->headers;
    EXPECT_EQ(
        h,
        (r2::headers{
            {"Set-Cookie", "a=1"}, {"X-Tight", "v"}, {"set-cookie", "b=2"}, {"X-Empty", ""}, {"Content-Length", "0"}}));
    EXPECT_EQ(h.get_all("SET-COOKIE"), (std::vector<std::string_view>{"a=1", "b=2"}));
}

TEST_F(download, lines_that_end_in_1_byte_are_lines) {
    const r2::attempt a = get(raw("HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok"));
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->headers.get("X-A"), "b");
    EXPECT_EQ(a.response()->body, "ok");
}

TEST_F(download, the_12_fields_of_http_2_are_found_in_any_case) {
    r2::client h2({.http_version = r2::http_version::http2});
    const r2::attempt a = h2.get(nginx::shared().h2c("/fields"), quick()).finish();
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    const r2::headers& h = a.response()->headers;
    EXPECT_GE(h.size(), 12U);
    for (const char* name : {"ETag", "etag", "ETAG"}) EXPECT_EQ(h.get(name), "\"5d8c72a5edda8d6a\"");
    EXPECT_EQ(h.get("Content-Type"), "application/json");
}

TEST_F(download, the_head_of_a_body_of_90_gb_is_all_that_head_gets) {
    s.default_answer(reply(200, "", {{"Content-Length", "90000000000"}}));
    const r2::attempt a = c.head(s.url(), quick()).finish();
    ASSERT_EQ(status_of(a), 200) << a.error().message();
    EXPECT_EQ(a.response()->body, "");
    EXPECT_EQ(a.response()->headers.get("Content-Length"), "90000000000");
}

TEST_F(download, of_2_responses_none_has_anything_of_the_other) {
    const r2::attempt first = get(reply(404, "missing", {{"X-First", "1"}}));
    const r2::attempt second = get(reply(204));
    ASSERT_EQ(status_of(first), 404) << first.error().message();
    ASSERT_EQ(status_of(second), 204) << second.error().message();
    EXPECT_EQ(first.response()->body, "missing");
    EXPECT_TRUE(second.response()->body.empty());
    EXPECT_TRUE(second.response()->headers.empty());
}

}  // namespace
