#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2::inline v0_2 {

/// The fields of a web form, in the order in which they are sent.
using form = std::vector<std::pair<std::string, std::string>>;

/// A form as application/x-www-form-urlencoded text: a space becomes '+' (WHATWG URL, 5.2).
inline std::string urlencode(const form& fields) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    const auto append = [&](std::string_view text) {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*' ||
                               c == '-' || c == '.' || c == '_';
            if (plain)
                out += c;
            else if (c == ' ')
                out += '+';
            else
                (out += '%', out += hex[byte >> 4], out += hex[byte & 15]);
        }
    };
    for (const auto& [name, value] : fields) {
        if (!out.empty()) out += '&';
        append(name);
        out += '=';
        append(value);
    }
    return out;
}

/// What a request carries: nothing, a text, or the bytes of a file. Cheap to copy: copies share a text.
class body {
public:
    body() = default;
    body(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
    body(std::string_view text) : body(std::string(text)) {}
    body(const char* text) : body(std::string(text ? text : "")) {}

    /// The form, urlencoded; brings its own Content-Type, which `headers` and `options::content_type` replace.
    body(const form& fields) : body(urlencode(fields)) { content_type_ = form_content_type; }

    /// The file's bytes, streamed, and read afresh for each attempt: nothing is opened before that.
    /// Only a regular file; one that can't be read is `errc::body_unreadable`.
    static body file(std::string path) {
        body b;
        b.path_ = std::make_shared<const std::string>(std::move(path));
        return b;
    }

    /// No body at all. An empty text is a body: it is sent as `Content-Length: 0`.
    bool empty() const noexcept { return !text_ && !path_; }
    bool is_file() const noexcept { return path_ != nullptr; }

    /// The text; empty for a file.
    std::string_view text() const noexcept { return text_ ? std::string_view(*text_) : std::string_view(); }

    /// The file's path; empty for a text.
    std::string_view path() const noexcept { return path_ ? std::string_view(*path_) : std::string_view(); }

    /// The media type that this body brings by itself: a form's, else none.
    std::string_view content_type() const noexcept { return content_type_; }

    static constexpr std::string_view form_content_type = "application/x-www-form-urlencoded";

private:
    std::shared_ptr<const std::string> text_;
    std::shared_ptr<const std::string> path_;
    std::string_view content_type_;
};

}  // namespace r2::inline v0_2
