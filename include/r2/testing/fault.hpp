#pragma once

#include <cstdint>
#include <utility>

#include "r2/testing/answer.hpp"

namespace r2::inline v0_2::testing {

/// A failure of a connection before a whole request was read on it. A plain value, made by its static members.
class fault {
public:
    /// No fault, which is the default. Spares one connection from `server::on_every_connection`.
    static fault none() { return fault(kind::none); }

    /// Sends RST at once.
    static fault reset_on_accept() { return fault(kind::reset); }

    /// Sends FIN at once. Discards what the peer sends, so that the peer sees an end and no reset.
    static fault close_on_accept() { return fault(kind::close); }

    /// Neither reads nor sends until the peer leaves.
    static fault hang_on_accept() { return fault(kind::hang); }

    /// Sends RST after it has read that many bytes of the first request.
    static fault reset_in_request(std::uint64_t bytes) { return fault(kind::reset_in_request, bytes); }

    /// Doesn't read the body of the first request. The kernels' buffers still take some MiB of it.
    static fault stop_reading_after_head() { return fault(kind::stop_reading_after_head); }

    /// Plays `said` after the head of the first request, without reading the body, then closes.
    static fault answer_after_head(answer said) { return fault(kind::answer_after_head, 0, std::move(said)); }

private:
    friend class detail::conversation;

    enum class kind { none, reset, close, hang, reset_in_request, stop_reading_after_head, answer_after_head };

    explicit fault(kind what, std::uint64_t bytes = 0, answer said = {})
        : what_(what), bytes_(bytes), said_(std::move(said)) {}

    kind what_;
    std::uint64_t bytes_;
    answer said_;
};

}  // namespace r2::inline v0_2::testing
