/// URLs in logs, as origins and on their way to libcurl. The input: a URL, and a line with a reference to follow from
/// there; or else user, password, host, path, query and fragment of one, a line each.
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <bit>

#include "input.hpp"
#include "r2/curl/url.hpp"
#include "r2/words/check.hpp"
#include "r2/words/log_text.hpp"
#include "r2/words/origin.hpp"

using namespace r2::fuzzing;

namespace {

/// Without control characters too.
bool is_clean_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text[0]);
        const auto ones = static_cast<std::size_t>(std::countl_one(first)), size = std::max<std::size_t>(ones, 1);
        if (ones == 1 || ones > 4 || size > text.size()) return false;
        char32_t code = first & (0xFFU >> (ones + 1));
        for (const char c : text.substr(1, size - 1)) {
            if (std::countl_one(static_cast<unsigned char>(c)) != 1) return false;
            code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
        }
        constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[ones] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
        if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;
        text.remove_prefix(size);
    }
    return true;
}

bool is_url_text(std::string_view text) {
    return !text.empty() &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; });
}

std::string shown(const std::string& url) {
    const std::string text = r2::detail::redacted(url);
    require(text.empty() == url.empty() && text.find('#') == text.npos);
    for (const std::string_view any : {std::string_view(text), std::string_view(url)}) {
        require(is_clean_utf8(r2::detail::escaped(any)));
        require(is_clean_utf8(r2::detail::quoted(any)));
    }
    return text;
}

/// Checks that `redacted` cuts the parts that libcurl takes for secrets out of the URL, and shows the rest.
void try_redacted(std::string url) {
    const r2::detail::curl::url_handle parsed(curl_url());
    const auto part = [&](CURLUPart which) {
        char* found = nullptr;
        curl_url_get(parsed.get(), which, &found, 0);
        const r2::detail::curl::owned_text owned(found);
        return std::string(found ? found : "");
    };
    const std::string redacted = shown(url);
    if (url.find('\0') != url.npos || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return;
    if (part(CURLUPART_SCHEME) != "http" && part(CURLUPART_SCHEME) != "https") return;

    const auto cut_end = [&url](char mark, const std::string& secret) {
        if (url.find(mark) == url.npos) return require(secret.empty());
        require(url.ends_with(mark + secret));
        url.resize(url.size() - secret.size() - 1);
    };
    cut_end('#', part(CURLUPART_FRAGMENT));
    const bool has_query = url.find('?') != url.npos;
    cut_end('?', part(CURLUPART_QUERY));
    const std::string scheme = url.substr(0, url.find(':'));
    std::string rest = url.substr(url.find_first_not_of('/', scheme.size() + 1));
    const std::string user = part(CURLUPART_USER), password = part(CURLUPART_PASSWORD);
    for (const std::string& userinfo : {user + ':' + password + '@', user + '@'})
        if (rest.starts_with(userinfo)) rest.erase(0, userinfo.size());
    require(redacted == scheme + "://" + rest + (has_query ? "?…" : ""));
}

void try_origin(const std::string& text, const r2::detail::curl::url& url) {
    std::string scratch, again;
    const std::string origin(r2::detail::origin_of(text, scratch));
    require(r2::detail::origin_of(origin, again) == origin);
    r2::detail::curl::url back;
    require(!back.parse(origin) && back.where() == url.where() && !back.has_credentials());

    // libcurl knows further spellings of a host and a port: %61, 0x7f.1, :080.
    const auto [scheme, host, port] = url.where();
    const std::string canonical = scheme + "://" + host + (port == (scheme == "http" ? "80" : "443") ? "" : ':' + port);
    if (r2::detail::same_name(origin, canonical)) require(origin == canonical);
    for (const std::string& same :
         {canonical + "/x?y#z", scheme + ":///me:secret@" + host + ':' + port, canonical + '?'})
        require(r2::detail::origin_of(same, again) == r2::detail::origin_of(canonical, scratch));
}

void try_url(const std::string& text, const std::string& reference) {
    try_redacted(text);
    std::string scratch;
    r2::detail::origin_of(text, scratch);
    require(!r2::detail::check({.url = text}) == is_url_text(text));
    r2::detail::curl::url url;
    if (!is_url_text(text) || url.parse(text)) return;
    try_origin(text, url);

    const r2::detail::curl::origin before = url.where();
    const std::string user = url.user();
    if (url.follow(reference.c_str())) return;
    const r2::detail::curl::origin after =
        url.where();  // before it is shown: libcurl 7.88 changes a host that has a '%' then
    require(url.user() == (after == before ? user : ""));
    if (!is_url_text(after.host)) return;  // "%7f", which libcurl decodes and doesn't take back
    r2::detail::curl::url back;
    require(!back.parse(url.shown()) && back.where() == after && !back.has_credentials());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = text_of(data, size);
    std::array<std::string, 6> lines;
    for (std::string& line : lines) line = unescaped(next_line(text));
    const auto& [user, password, host, path, query, fragment] = lines;
    try_url(user, password);
    const auto whole = [&](const std::string& u, const std::string& p, const std::string& q, const std::string& f) {
        return "http://" + u + ':' + p + '@' + host + '/' + path + '?' + q + '#' + f;
    };
    const std::string one = whole(user, password, query, fragment);
    try_url(one, path);
    if ((user + password).find_first_of("/?#") == std::string::npos && path.find_first_of("?#") == std::string::npos)
        require(shown(one) == shown(whole("me", "secret", "q", "")));
    return 0;
}
