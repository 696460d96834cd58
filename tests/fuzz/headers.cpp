/// Header fields: each line of the input is an operation, such as "+Name: value".
#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

#include "input.hpp"
#include "r2/curl/header_list.hpp"
#include "r2/words/check.hpp"
#include "r2/words/headers.hpp"

using namespace r2::fuzzing;

namespace {

using model = std::vector<r2::header>;

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0 &&
           (a.find('\0') == a.npos || r2::detail::same_name(a, b));  // strncasecmp stops at a NUL
}

void require_same(const r2::headers& h, const model& m, std::string_view name) {
    require(h.size() == m.size() && h.empty() == m.empty());
    require(std::equal(h.begin(), h.end(), m.begin(), m.end()));
    std::vector<std::string_view> values;
    for (const r2::header& f : m)
        if (same(f.name, name)) values.push_back(f.value);
    require(h.get_all(name) == values);
    require(h.contains(name) == !values.empty());
    require(h.get(name) == (values.empty() ? std::nullopt : std::optional(values.front())));
}

void operate(char what, std::string_view name, std::string_view value, r2::headers& h, model& m) {
    const auto is_named = [&](const r2::header& f) { return same(f.name, name); };
    if (what == '=') {
        h.set(name, value);
        const auto first = std::find_if(m.begin(), m.end(), is_named);
        if (first == m.end()) return m.push_back({std::string(name), std::string(value)});
        *first = {std::string(name), std::string(value)};
        m.erase(std::remove_if(first + 1, m.end(), is_named), m.end());
    } else if (what == '-') {
        require(h.erase(name) == std::erase_if(m, is_named));
    } else if (what == '>') {
        h.extend_last(name, value);
        if (!m.empty()) m.back().value.append(name).append(value);
    } else if (what == '*' && !m.empty()) {  // with views of the text that grows
        h.add(h.begin()->name, *h.get(m.back().name));
        const auto first = std::find_if(m.begin(), m.end(), [&](auto& f) { return same(f.name, m.back().name); });
        m.push_back({m.front().name, first->value});
    } else if (what == '~') {
        r2::headers copy = h, moved = std::move(h);
        require(h.empty() && h.begin() == h.end() && copy == moved);
        h = std::move(copy);
    } else {
        h.add(name, value);
        m.push_back({std::string(name), std::string(value)});
    }
}

bool is_allowed(const r2::header& f, const r2::request& q) {
    const auto in_token = [](unsigned char c) { return std::isalnum(c) || (c && std::strchr("!#$%&'*+-.^_`|~", c)); };
    return !f.name.empty() && std::all_of(f.name.begin(), f.name.end(), in_token) &&
           f.value.find_first_of(std::string("\r\n\0", 3)) == f.value.npos && !same(f.name, "Transfer-Encoding") &&
           (!same(f.name, "Content-Length") || f.value == std::to_string(q.body.text().size()));
}

/// The list has every field in order and in libcurl's notation, then only fields that the request doesn't have.
void require_list(const curl_slist* at, const r2::request& q, const model& m) {
    for (const r2::header& f : m) {
        const bool blank = std::all_of(f.value.begin(), f.value.end(), [](unsigned char c) { return std::isspace(c); });
        require(at && at->data == (blank ? f.name + ";" : f.name + ": " + f.value));
        at = at->next;
    }
    for (; at; at = at->next) {
        const std::string_view name = split(at->data, ':').first;
        require(!q.headers.contains(name));
        require(name == "User-Agent" || name == "Accept-Encoding" || name == "Accept" ||
                (!q.body.empty() && (name == "Content-Type" || name == "Expect")));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    r2::request get{.method = "GET", .url = "http://a.test/"}, post{.method = "POST", .url = get.url, .body = "abc"};
    r2::headers h;
    model m;
    for (std::string_view text = text_of(data, size); !text.empty();) {
        const std::string line = unescaped(next_line(text));
        const auto colon = std::min(line.find(": "), line.size());
        const std::string_view name = std::string_view(line).substr(std::min<std::size_t>(1, line.size()), colon - 1);
        operate(line.empty() ? '~' : line.front(), name, colon == line.size() ? "" : line.substr(colon + 2), h, m);
        require_same(h, m, name);
        for (r2::request* q : {&get, &post}) {
            q->headers = h;
            const auto allowed = [&](const r2::header& f) { return is_allowed(f, *q); };
            require(!r2::detail::check(*q) == std::all_of(m.begin(), m.end(), allowed));
            if (r2::detail::check(*q)) continue;
            require_list(r2::detail::curl::header_list(*q, !q->body.empty(), {}).get(), *q, m);
        }
    }
    return 0;
}
