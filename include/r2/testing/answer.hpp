#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "r2/config.hpp"
#include "r2/testing/composition.hpp"
#include "r2/words/headers.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing {

namespace detail {

class conversation;

}  // namespace detail

/// Frames one chunk of the chunked coding, to compose a body by hand. "" is the last chunk.
std::string chunk(std::string_view data);

/// A script of one exchange: the bytes and silences that a server sends after it has read a request, then the fate of
/// the connection. A plain value, made by `reply`, `raw`, `nothing` or `late`. Every member returns a changed copy.
class answer {
public:
    /// Adds a silence before the bytes that are added next. `late` delays a whole answer.
    [[nodiscard]] answer pause(duration silence) const;

    /// Adds bytes.
    [[nodiscard]] answer then(std::string_view bytes) const;

    /// Adds another answer, and ends as that one does.
    [[nodiscard]] answer then(const answer& next) const;

    /// Adds these bytes `count` times. A huge count makes an endless answer, which ends when the peer leaves.
    [[nodiscard]] answer repeat(std::string_view bytes, std::uint64_t count) const;

    /// Sends the bytes so far in pieces, with a gap between two of them.
    [[nodiscard]] answer trickle(std::size_t bytes_per_piece, duration gap) const;

    /// Replaces the body of a `reply` by a chunked body, with a silence of `gap` before each chunk. Throws
    /// std::logic_error on any other answer.
    [[nodiscard]] answer chunked(const std::vector<std::string>& chunks, duration gap = {}) const;

    /// Keeps only the first bytes so far, head included. Then closes the connection, unless another end is set.
    [[nodiscard]] answer cut(std::uint64_t bytes) const;

    /// Keeps only the head and the first bytes of the body; else as `cut`. Throws std::logic_error on an answer that is
    /// no `reply`.
    [[nodiscard]] answer cut_body(std::uint64_t bytes) const;

    /// Ends the connection with FIN. After a complete keep-alive `reply`, an idle connection closes without notice.
    [[nodiscard]] answer close() const;

    /// Ends the connection with RST.
    [[nodiscard]] answer reset() const;

    /// Sends nothing more, and holds the connection until the peer leaves or the server is destroyed.
    [[nodiscard]] answer hang() const;

    /// Ends the connection with FIN after it has read the next request. That request is recorded, and takes no answer
    /// of a script.
    [[nodiscard]] answer close_at_next_request() const;

    /// Ends the connection with RST after it has read the next request. That request is recorded, and takes no answer
    /// of a script.
    [[nodiscard]] answer reset_at_next_request() const;

    /// Ends the connection with RST after it has read that many bytes of the next request.
    [[nodiscard]] answer reset_in_next_request(std::uint64_t bytes) const;

private:
    friend answer reply(int status, std::string_view body, const headers& fields);
    friend class detail::conversation;

    answer ending_with(detail::ending how) const;
    answer at_next_request(detail::ending how) const;

    detail::composition all_;
    std::string head_;  // of a `reply`: its lines, without the fields that frame the body
};

/// Makes a keep-alive HTTP/1.1 response. A Content-Length or Transfer-Encoding in `fields` replaces the computed one. A
/// status without a body (1xx, 204, 304) gets none.
answer reply(int status, std::string_view body = "", const headers& fields = {});

/// Sends exactly these bytes.
answer raw(std::string_view bytes);

/// Sends no bytes. Give it an end, such as `nothing().close()`.
answer nothing();

/// Delays an answer.
answer late(duration silence, const answer& what);

}  // namespace r2::inline v0_2::testing

#ifndef R2_COMPILED
#include "r2/testing/answer.ipp"
#endif
