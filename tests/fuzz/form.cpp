/// Forms: each line of the input is a field, "name=value".
#include <curl/curl.h>

#include <algorithm>

#include "input.hpp"
#include "r2/curl/handles.hpp"
#include "r2/words/body.hpp"

using namespace r2::fuzzing;

namespace {

/// Decodes with libcurl, which doesn't decode '+'.
std::string decoded(std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    int size = 0;
    const r2::detail::curl::owned_text out(
        curl_easy_unescape(nullptr, spaced.c_str(), static_cast<int>(spaced.size()), &size));
    return {out.get(), static_cast<std::size_t>(size)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    r2::form fields;
    for (std::string_view text = text_of(data, size); !text.empty();) {
        const auto [name, value] = split(next_line(text), '=');
        fields.emplace_back(unescaped(name), unescaped(value));
    }

    const r2::body body(fields);
    require(!body.empty() && !body.is_file() && body.content_type() == r2::body::form_content_type);
    std::string_view text = body.text();
    require(text == r2::urlencode(fields));
    require(text.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*-._+%=&") ==
            text.npos);
    for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
        require(text.substr(at + 1, 2).find_first_not_of("0123456789ABCDEF") == text.npos && at + 2 < text.size());
        require(text.substr(at, 3) != "%20");
    }

    r2::form found;
    while (!text.empty()) {
        const auto [field, rest] = split(text, '&');
        const auto [name, value] = split(field, '=');
        require(std::count(field.begin(), field.end(), '=') == 1);
        found.emplace_back(decoded(name), decoded(value));
        text = rest;
    }
    require(found == fields);
    return 0;
}
