#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include "r2/words/response.hpp"

namespace r2::inline v0_2::detail::curl {

/// Builds a response from the lines and bytes that libcurl receives.
class download {
public:
    /// The limit, in bytes, of all heads and trailers of one hop, 1xx included. libcurl limits only a line, to
    /// 100 KiB.
    static constexpr std::size_t max_head = 256U << 10;

    /// Begins a hop whose decoded body may have so many bytes.
    void begin(std::size_t max_body) noexcept {
        response_.headers.clear();
        response_.body.clear();
        max_body_ = max_body;
        head_bytes_ = body_bytes_ = 0;
        state_ = state::before;
    }

    /// Frees the memory of what was received so far.
    void drop() noexcept {
        response_.headers.clear();
        if (response_.body.capacity() > 0) std::string().swap(response_.body);
    }

    /// Takes one line of a head, or of the trailers, which are ignored (CURLOPT_HEADERFUNCTION). Returns false over the
    /// limit.
    bool line(std::string_view text) {
        head_bytes_ += text.size();
        if (head_bytes_ > max_head) return false;
        if (text.ends_with('\n')) text.remove_suffix(1);
        if (text.ends_with('\r')) text.remove_suffix(1);

        if (state_ == state::body) return true;
        if (state_ != state::head)
            begin_head(text);  // the first head, or the one that follows a 1xx
        else if (text.empty())
            end_head();
        else
            field(text);
        return true;
    }

    /// Takes some of the decoded body (CURLOPT_WRITEFUNCTION). Returns false over the limit.
    bool append(std::string_view text) {
        if (!skip(text)) return false;
        // Without a reserve, a growing body is copied about once. Reserving more than 1 MiB would trust the server.
        if (response_.body.empty()) response_.body.reserve(std::min({announced_, max_body_, std::size_t{1} << 20}));
        response_.body.append(text);
        return true;
    }

    /// Counts some of the body without keeping it. Returns false over the limit.
    bool skip(std::string_view text) noexcept {
        if (text.size() > max_body_ - body_bytes_) return false;
        body_bytes_ += text.size();
        return true;
    }

    /// Whether a response has begun since `begin` or `expect_another`.
    bool has_begun() const noexcept { return state_ != state::before; }
    void expect_another() noexcept { state_ = state::before; }

    /// Whether the final head came with its blank line. libcurl reports a truncated head as a success.
    bool has_head() const noexcept { return state_ == state::body; }

    /// The response so far, which may be moved from.
    response& response_so_far() noexcept { return response_; }

private:
    enum class state { before, head, after_1xx, body };

    static int status_in(std::string_view line) noexcept {
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos || line.size() < space + 4) return 0;
        int status = 0;
        std::from_chars(line.data() + space + 1, line.data() + space + 4, status);
        return status;
    }

    void begin_head(std::string_view text) {
        response_.status = status_in(text);
        response_.headers.clear();
        response_.headers.reserve(16, 512);
        response_.body.clear();
        body_bytes_ = announced_ = 0;
        state_ = state::head;
    }

    void field(std::string_view text) {
        while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
        if (text.starts_with(' ') || text.starts_with('\t')) {  // RFC 9112, 5.2: folded, to be joined by a space
            response_.headers.extend_last(" ", text.substr(std::min(text.find_first_not_of(" \t"), text.size())));
            return;
        }
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos) return;
        std::size_t value = colon + 1;
        while (value < text.size() && (text[value] == ' ' || text[value] == '\t')) ++value;
        response_.headers.add_line(text, colon, value);
        if (same_name(text.substr(0, colon), "Content-Length"))
            std::from_chars(text.data() + value, text.data() + text.size(), announced_);
    }

    void end_head() {
        if (response_.status < 200) {
            state_ = state::after_1xx;
            response_.headers.clear();
            return;
        }
        state_ = state::body;
        response_.headers.replace_crs();  // once per head: once per line costs 1 % of a GET
    }

    response response_;
    std::size_t max_body_ = 0;
    std::size_t head_bytes_ = 0;
    std::size_t body_bytes_ = 0;
    std::size_t announced_ = 0;  // Content-Length; 0 if unknown
    state state_ = state::before;
};

}  // namespace r2::inline v0_2::detail::curl
