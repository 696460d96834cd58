#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "r2/testing/composition.hpp"
#include "r2/words/headers.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing {

namespace detail {

class conversation;

}  // namespace detail

/// Frames one chunk of the chunked coding, "" being the last one, to compose a body by hand.
inline std::string chunk(std::string_view data) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
    return std::string(digits.data(), end) + "\r\n" + std::string(data) + "\r\n";
}

/// Says what is played on a connection once a request was read: bytes and silences, then an end. A plain value, made by
/// `reply`, `raw`, `nothing` or `late`; every member returns a changed copy.
class answer {
public:
    /// Goes on with a silence, before the bytes that are added next; `late` delays a whole answer.
    [[nodiscard]] answer pause(duration silence) const {
        return changed([&](auto& all) { all.add({.silence = silence}); });
    }

    /// Adds bytes.
    [[nodiscard]] answer then(std::string_view bytes) const { return repeat(bytes, 1); }

    /// Goes on with another answer, and takes over its end.
    [[nodiscard]] answer then(const answer& next) const {
        return changed([&](auto& all) {
            if (next.all_.head_length) all.head_length = all.length() + *next.all_.head_length;
            for (const detail::part& p : next.all_.parts) all.add(p);
            all.end = next.all_.end;
            all.next_request = next.all_.next_request;
            all.next_request_bytes = next.all_.next_request_bytes;
        });
    }

    /// Adds these bytes so many times. A huge count makes an endless answer, which ends when the peer leaves.
    [[nodiscard]] answer repeat(std::string_view bytes, std::uint64_t count) const {
        return changed([&](auto& all) { all.add(bytes, count); });
    }

    /// Sends what was composed so far in pieces, with a gap between two of them.
    [[nodiscard]] answer trickle(std::size_t bytes_per_piece, duration gap) const {
        return changed([&](auto& all) {
            for (detail::part& p : all.parts) {
                if (p.piece != 0) continue;
                p.piece = bytes_per_piece;
                p.gap = gap;
            }
        });
    }

    /// Replaces the body of a `reply` by a chunked one, with a silence before each chunk; throws std::logic_error on
    /// any other answer.
    [[nodiscard]] answer chunked(const std::vector<std::string>& chunks, duration gap = {}) const {
        if (head_.empty()) throw std::logic_error("only a reply can become chunked");
        return changed([&](auto& all) {
            all.parts.clear();
            all.add(head_ + "Transfer-Encoding: chunked\r\n\r\n");
            all.head_length = all.length();
            for (const std::string& data : chunks) {
                if (gap > duration{}) all.add({.silence = gap});
                all.add(chunk(data));
            }
            all.add(chunk(""));
        });
    }

    /// Keeps only the first bytes of what was composed so far, head included; ends with `close()` unless an end was or
    /// is given.
    [[nodiscard]] answer cut(std::uint64_t bytes) const {
        return changed([&](auto& all) {
            all.cut(bytes);
            if (all.end == detail::ending::keep) all.end = detail::ending::close;
        });
    }

    /// Keeps only the head and the first bytes of the body, in the same way; throws std::logic_error on what is not a
    /// `reply`.
    [[nodiscard]] answer cut_body(std::uint64_t bytes) const {
        if (!all_.head_length) throw std::logic_error("only a reply has a body to cut");
        return cut(*all_.head_length + bytes);
    }

    /// Ends the connection with FIN. After a complete keep-alive reply it is an idle one, closed without notice.
    [[nodiscard]] answer close() const { return ended(detail::ending::close); }

    /// Ends the connection with RST.
    [[nodiscard]] answer reset() const { return ended(detail::ending::reset); }

    /// Says nothing more, and holds the connection until the peer leaves or the server is destroyed.
    [[nodiscard]] answer hang() const { return ended(detail::ending::hang); }

    /// Ends the connection with FIN once the next request on it was read. That one is recorded, and takes no answer
    /// from a script.
    [[nodiscard]] answer close_at_next_request() const {
        return changed([](auto& all) { all.next_request = detail::ending::close; });
    }

    /// Ends the connection with RST once the next request on it was read. That one is recorded, and takes no answer
    /// from a script.
    [[nodiscard]] answer reset_at_next_request() const {
        return changed([](auto& all) { all.next_request = detail::ending::reset; });
    }

    /// Ends the connection with RST once that many bytes of the next request on it were read.
    [[nodiscard]] answer reset_in_next_request(std::uint64_t bytes) const {
        return changed([&](auto& all) { all.next_request_bytes = bytes; });
    }

private:
    friend answer reply(int status, std::string_view body, const headers& fields);
    friend class detail::conversation;

    template <class Change> answer changed(Change change) const {
        answer copy = *this;
        change(copy.all_);
        return copy;
    }

    answer ended(detail::ending how) const {
        return changed([&](auto& all) { all.end = how; });
    }

    detail::composition all_;
    std::string head_;  ///< Of a reply: its lines, without what frames the body.
};

/// Makes a keep-alive HTTP/1.1 response. A Content-Length or Transfer-Encoding among the fields replaces the computed
/// one; a status that has no body (1xx, 204, 304) gets none.
inline answer reply(int status, std::string_view body = "", const headers& fields = {}) {
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

/// Sends exactly these bytes.
inline answer raw(std::string_view bytes) { return answer().then(bytes); }

/// Sends not a byte; give it an end, such as `nothing().close()`.
inline answer nothing() { return {}; }

/// Delays an answer.
inline answer late(duration silence, const answer& what) { return answer().pause(silence).then(what); }

}  // namespace r2::inline v0_2::testing
