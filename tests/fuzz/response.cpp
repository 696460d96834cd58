/// Answers from a server, byte by byte, through libcurl to the range. The input: a digit, then the answer. Of the
/// digit, 1 keeps the connection open, 2 asks by HEAD, and 4 sends another request afterwards.
#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "input.hpp"
#include "r2/client.hpp"
#include "r2/testing/server.hpp"

using namespace r2::fuzzing;
using namespace r2::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_body = 64;
constexpr std::string_view secret = "s3cret";

struct parties {
    server s;
    // Whatever proxy the environment names.
    r2::client c{{.configure = [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); }}};
    answer said;  // set only while nothing is asked

    parties() {
        s.keep_requests(false);
        s.handle([this](const recorded_request& q) { return q.target == "/good" ? reply(200, "good") : said; });
    }
};

/// A first field that is folded, onto which libcurl before 8.1.1 joins one of the handle's answer before: freed memory
/// (curl#11101).
bool kills_libcurl(std::string_view text) {
    if (curl_version_info(CURLVERSION_NOW)->version_num >= 0x080101) return false;
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const bool is_status = r2::detail::same_name(line.substr(0, 5), "HTTP/");
        if (is_status && (text.starts_with(' ') || text.starts_with('\t'))) return true;
    }
    return false;
}

/// The body of a plain answer to a GET, as far as it came, and the length that was announced; of others, nothing.
struct plain {
    std::string_view body;
    std::size_t length = 0;
};

std::optional<plain> plain_in(std::string_view text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 200 ") || end == text.npos) return std::nullopt;
    std::string_view head = text.substr(0, end + 2);
    std::optional<plain> found;
    while (!head.empty()) {
        const std::size_t line_end = head.find("\r\n");
        const std::string_view line = head.substr(0, line_end);
        head.remove_prefix(line_end + 2);
        const auto strange = [](unsigned char c) { return c < ' ' || c > '~'; };
        if (line.starts_with(' ') || std::any_of(line.begin(), line.end(), strange)) return std::nullopt;
        const auto [name, value] = split(line, ':');
        if (name == line && line.data() != text.data()) return std::nullopt;
        for (const std::string_view other : {"Transfer-Encoding", "Content-Encoding", "Upgrade", "Connection"})
            if (r2::detail::same_name(name, other)) return std::nullopt;
        if (!r2::detail::same_name(name, "Content-Length")) continue;
        if (found || !value.starts_with(' ')) return std::nullopt;
        found = {text.substr(end + 4)};
        const auto [last, e] = std::from_chars(value.data() + 1, value.data() + value.size(), found->length);
        if (e != std::errc() || last != value.data() + value.size() || found->length > 100'000) return std::nullopt;
    }
    return found;
}

void try_attempt(const r2::attempt& a, std::string_view text, bool is_head) {
    require(!a.response() == static_cast<bool>(a.error()));
    require(a.error().message().find(secret) == std::string::npos);
    for (const r2::errc fault : {r2::errc::local, r2::errc::invalid_request}) require(!(a.error() == fault));
    const bool has_whole_head = text.find("\n\n") != text.npos || text.find("\n\r\n") != text.npos;
    if (const r2::response* res = a.response()) {
        require(has_whole_head);
        require(res->status >= 200 && res->status <= 999);
        require(res->body.size() <= max_body && (!is_head || res->body.empty()));
        for (const auto& [name, value] : res->headers) {
            require(name.find_first_of(std::string("\r\n\0", 3)) == name.npos);
            require(value.find_first_of(std::string("\r\n\0", 3)) == value.npos);
        }
    }
    if (const auto p = plain_in(text); p && !is_head) {
        const bool fits = p->length <= p->body.size() && p->length <= max_body;
        require(!a.response() || (fits && a.response()->body == p->body.substr(0, p->length)));
        require(a.response() || !fits || a.error() == r2::errc::timeout);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static parties& p = *new parties;
    if (size == 0) return -1;
    const bool keeps = data[0] & 1U, is_head = data[0] & 2U, again = data[0] & 4U;
    const std::string_view text = text_of(data + 1, size - 1);
    if (kills_libcurl(text)) return 0;
    p.said = keeps ? raw(text) : raw(text).close();

    // What lacks its end on a kept connection is waited for.
    const r2::options o = {.max_attempts = 1,
                           .timeout = keeps ? 10ms : 2s,
                           .headers = {{"Authorization", "Bearer " + std::string(secret)}},
                           .max_body = max_body,
                           .max_redirects = 0};
    int attempts = 0;
    for (const r2::attempt& a : is_head ? p.c.head(p.s.url("/"), o) : p.c.get(p.s.url("/"), o)) {
        ++attempts;
        try_attempt(a, text, is_head);
    }
    require(attempts == 1);
    if (again) {
        const r2::attempt a = p.c.get(p.s.url("/good"), {.max_attempts = 1, .timeout = 10s}).finish();
        require(a.response() && a.response()->status == 200 && a.response()->body == "good");
    }
    return 0;
}
