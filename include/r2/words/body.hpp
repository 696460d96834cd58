#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2::inline v0_2 {

/// The fields of a web form, in the order in which they are sent.
using form = std::vector<std::pair<std::string, std::string>>;

/// Encodes a form as application/x-www-form-urlencoded, with '+' for a space (WHATWG URL, 5.2).
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
                out.append({'%', hex[byte >> 4], hex[byte & 15]});
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

/// The body of a request: nothing, a text, or a file. Copies share the text.
class body {
public:
    body() = default;
    body(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
    body(std::string_view text) : body(std::string(text)) {}

    /// Takes a C string; a null pointer is an empty text. A non-const char array counts as one.
    template <std::convertible_to<const char*> Pointer>
    requires std::is_pointer_v<Pointer> || std::is_null_pointer_v<Pointer> body(Pointer text) : body(c_string(text)) {}

    /// Takes a string literal whole, without its terminating NUL.
    template <std::same_as<const char> Char, std::size_t N>
    body(Char (&literal)[N]) : body(std::string(literal, literal[N - 1] == '\0' ? N - 1 : N)) {}

    /// Takes a form, urlencoded, with its Content-Type. `headers` and `options::content_type` override that.
    body(const form& fields) : body(urlencode(fields)) { content_type_ = form_content_type; }

    /// Streams a regular file. Each attempt opens and reads it afresh. A file that can't be read is
    /// `errc::body_unreadable`.
    static body file(std::string path) {
        body b;
        b.path_ = std::make_shared<const std::string>(std::move(path));
        return b;
    }

    /// Whether there is no body. An empty text is a body, sent with `Content-Length: 0`.
    bool empty() const noexcept { return !text_ && !path_; }
    bool is_file() const noexcept { return path_ != nullptr; }

    /// Returns the text; empty for a file.
    std::string_view text() const noexcept { return text_ ? std::string_view(*text_) : std::string_view(); }

    /// Returns the file's path; empty for a text.
    std::string_view path() const noexcept { return path_ ? std::string_view(*path_) : std::string_view(); }

    /// Returns a form's media type; empty for other bodies.
    std::string_view content_type() const noexcept { return content_type_; }

    static constexpr std::string_view form_content_type = "application/x-www-form-urlencoded";

private:
    static std::string c_string(const char* text) { return text ? text : ""; }

    std::shared_ptr<const std::string> text_;
    std::shared_ptr<const std::string> path_;
    std::string_view content_type_;
};

}  // namespace r2::inline v0_2
