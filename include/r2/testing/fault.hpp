#pragma once

#include <cstdint>
#include <utility>

#include "r2/testing/answer.hpp"

namespace r2::testing {

/// Says what befalls a connection before a whole request was read on it. A plain value, made by its static members.
struct fault {
    /// Lets the connection alone, which is the default: spares a single one from `server::on_every_connection`.
    static fault none() { return {}; }

    /// Sends RST at once.
    static fault reset_on_accept() { return {.what = kind::reset}; }

    /// Sends FIN at once; what the peer sends is discarded, so that it sees an end and no reset.
    static fault close_on_accept() { return {.what = kind::close}; }

    /// Reads nothing and says nothing until the peer leaves.
    static fault hang_on_accept() { return {.what = kind::hang}; }

    /// Sends RST once that many bytes of the connection's first request were read.
    static fault reset_in_request(std::uint64_t bytes) { return {.what = kind::reset_in_request, .bytes = bytes}; }

    /// Leaves the body of the first request in the socket. Buffers of both kernels still swallow some MiB of it.
    static fault stop_reading_after_head() { return {.what = kind::stop_reading_after_head}; }

    /// Answers the connection's first request without reading its body, then closes.
    static fault answer_after_head(answer said) { return {.what = kind::answer_after_head, .said = std::move(said)}; }

    // For the server to read.
    enum class kind { none, reset, close, hang, reset_in_request, stop_reading_after_head, answer_after_head };
    kind what = kind::none;
    std::uint64_t bytes = 0;
    answer said = {};
};

}  // namespace r2::testing
