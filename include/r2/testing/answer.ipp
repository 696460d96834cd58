#pragma once

#include <array>
#include <charconv>
#include <stdexcept>

#include "r2/testing/answer.hpp"

namespace r2::inline v0_2::testing {

R2_INLINE std::string chunk(std::string_view data) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
    return std::string(digits.data(), end) + "\r\n" + std::string(data) + "\r\n";
}

R2_INLINE answer answer::pause(duration silence) const {
    answer copy = *this;
    copy.all_.add({.silence = silence});
    return copy;
}

R2_INLINE answer answer::then(std::string_view bytes) const { return repeat(bytes, 1); }

R2_INLINE answer answer::then(const answer& next) const {
    answer copy = *this;
    if (next.all_.head_length) copy.all_.head_length = copy.all_.length() + *next.all_.head_length;
    for (const detail::part& p : next.all_.parts) copy.all_.add(p);
    copy.all_.end = next.all_.end;
    copy.all_.next_request = next.all_.next_request;
    copy.all_.next_request_bytes = next.all_.next_request_bytes;
    return copy;
}

R2_INLINE answer answer::repeat(std::string_view bytes, std::uint64_t count) const {
    answer copy = *this;
    copy.all_.add(bytes, count);
    return copy;
}

R2_INLINE answer answer::trickle(std::size_t bytes_per_piece, duration gap) const {
    answer copy = *this;
    for (detail::part& p : copy.all_.parts) {
        if (p.piece != 0) continue;
        p.piece = bytes_per_piece;
        p.gap = gap;
    }
    return copy;
}

R2_INLINE answer answer::chunked(const std::vector<std::string>& chunks, duration gap) const {
    if (head_.empty()) throw std::logic_error("only a reply can become chunked");
    answer copy = *this;
    copy.all_.parts.clear();
    copy.all_.add(head_ + "Transfer-Encoding: chunked\r\n\r\n");
    copy.all_.head_length = copy.all_.length();
    for (const std::string& data : chunks) {
        if (gap > duration{}) copy.all_.add({.silence = gap});
        copy.all_.add(chunk(data));
    }
    copy.all_.add(chunk(""));
    return copy;
}

R2_INLINE answer answer::cut(std::uint64_t bytes) const {
    answer copy = *this;
    copy.all_.cut(bytes);
    if (copy.all_.end == detail::ending::keep) copy.all_.end = detail::ending::close;
    return copy;
}

R2_INLINE answer answer::cut_body(std::uint64_t bytes) const {
    if (!all_.head_length) throw std::logic_error("only a reply has a body to cut");
    return cut(*all_.head_length + bytes);
}

R2_INLINE answer answer::close() const { return ending_with(detail::ending::close); }
R2_INLINE answer answer::reset() const { return ending_with(detail::ending::reset); }
R2_INLINE answer answer::hang() const { return ending_with(detail::ending::hang); }

R2_INLINE answer answer::close_at_next_request() const { return at_next_request(detail::ending::close); }
R2_INLINE answer answer::reset_at_next_request() const { return at_next_request(detail::ending::reset); }

R2_INLINE answer answer::reset_in_next_request(std::uint64_t bytes) const {
    answer copy = *this;
    copy.all_.next_request_bytes = bytes;
    return copy;
}

R2_INLINE answer answer::ending_with(detail::ending how) const {
    answer copy = *this;
    copy.all_.end = how;
    return copy;
}

R2_INLINE answer answer::at_next_request(detail::ending how) const {
    answer copy = *this;
    copy.all_.next_request = how;
    return copy;
}

R2_INLINE answer reply(int status, std::string_view body, const headers& fields) {
    const bool has_body = status >= 200 && status != 204 && status != 304;
    answer made;
    made.head_ = "HTTP/1.1 " + std::to_string(status) + " \r\n";  // the reason may be empty (RFC 9112, 4)
    for (const auto& [name, value] : fields) made.head_.append(name).append(": ").append(value).append("\r\n");
    std::string text = made.head_;
    if (has_body && !fields.contains("Content-Length") && !fields.contains("Transfer-Encoding"))
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    made.all_.head_length = text.size();
    if (has_body) text += body;
    made.all_.add(text);
    return made;
}

R2_INLINE answer raw(std::string_view bytes) { return answer().then(bytes); }
R2_INLINE answer nothing() { return {}; }
R2_INLINE answer late(duration silence, const answer& what) { return answer().pause(silence).then(what); }

}  // namespace r2::inline v0_2::testing
