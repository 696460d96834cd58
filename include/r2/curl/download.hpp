#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include "r2/words/response.hpp"

namespace r2::inline v0_2::detail::curl {

/// An answer on its way in: made of the lines and bytes that libcurl hands over.
class download {
public:
    /// Of all heads of one answer together, 1xx included; libcurl itself limits only a line, to 100 KiB.
    static constexpr std::size_t max_head = 256U << 10;

    void begin(std::size_t max_body) noexcept {
        answer_.headers.clear();
        answer_.body.clear();
        max_body_ = max_body;
        head_bytes_ = body_bytes_ = 0;
        state_ = state::before;
        too_large_ = discards_ = false;
    }

    /// Gives back the memory of an answer that nobody took.
    void drop() noexcept {
        answer_.headers.clear();
        if (answer_.body.capacity() > 0) std::string().swap(answer_.body);
    }

    /// Nobody wants it: from here on its bytes are only counted.
    void discard() noexcept {
        drop();
        discards_ = true;
    }

    /// CURLOPT_HEADERFUNCTION: one line of a head, or of the trailers, which are no part of a response. False aborts.
    bool line(std::string_view text) {
        head_bytes_ += text.size();
        if (head_bytes_ > max_head) return too_large_ = true, false;
        if (text.ends_with('\n')) text.remove_suffix(1);
        if (text.ends_with('\r')) text.remove_suffix(1);

        if (state_ == state::head)
            text.empty() ? end_head() : field(text);
        else if (state_ != state::body)
            begin_head(text);  // the first, or what follows a 1xx
        return true;
    }

    /// CURLOPT_WRITEFUNCTION: some of the decoded body. False aborts.
    bool bytes(std::string_view text) {
        if (text.size() > max_body_ - body_bytes_) return too_large_ = true, false;
        body_bytes_ += text.size();
        if (!discards_) answer_.body.append(text);
        return true;
    }

    /// Whether any answer has begun since `begin` or `expect_another`.
    bool begun() const noexcept { return state_ != state::before; }
    void expect_another() noexcept { state_ = state::before; }

    /// Whether the final head came with its blank line: libcurl calls a head that is cut short a success.
    bool has_head() const noexcept { return state_ == state::body; }
    bool too_large() const noexcept { return too_large_; }

    response& answer() noexcept { return answer_; }

private:
    enum class state { before, head, between, body };

    static int status_in(std::string_view line) noexcept {
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos || line.size() < space + 4) return 0;
        int status = 0;
        std::from_chars(line.data() + space + 1, line.data() + space + 4, status);
        return status;
    }

    void begin_head(std::string_view text) {
        answer_.status = status_in(text);
        answer_.headers.clear();
        answer_.headers.reserve(16, 512);
        answer_.body.clear();
        body_bytes_ = announced_ = 0;
        state_ = state::head;
    }

    void field(std::string_view text) {
        while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
        if (text.starts_with(' ') || text.starts_with('\t')) {  // RFC 9112, 5.2: folded, for which a space stands
            answer_.headers.extend_last(" ", text.substr(std::min(text.find_first_not_of(" \t"), text.size())));
            return;
        }
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos) return;
        std::size_t value = colon + 1;
        while (value < text.size() && (text[value] == ' ' || text[value] == '\t')) ++value;
        answer_.headers.add_line(text, colon, value);
        if (r2::detail::same_name(text.substr(0, colon), "Content-Length"))
            std::from_chars(text.data() + value, text.data() + text.size(), announced_);
    }

    void end_head() {
        state_ = answer_.status < 200 ? state::between : state::body;
        if (state_ == state::between) return answer_.headers.clear();
        answer_.headers.replace_crs();  // here, as a look for each line costs 1 % of a GET
        // Growing step by step copies a body about once; reserving more on a server's word alone costs memory.
        if (discards_) return;
        answer_.body.reserve(std::min({announced_, max_body_, std::size_t{1} << 20}));
    }

    response answer_;
    std::size_t max_body_ = 0;
    std::size_t head_bytes_ = 0;
    std::size_t body_bytes_ = 0;
    std::size_t announced_ = 0;  // of the body, in bytes; 0: nothing is known
    state state_ = state::before;
    bool too_large_ = false;
    bool discards_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
