#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r2/config.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// The fate of a connection after the last byte.
enum class ending { keep, close, reset, hang };

/// A silence, then `length` bytes of the endlessly repeated pattern, in pieces of `piece` bytes (0: at once) with a gap
/// between two of them.
struct part {
    duration silence = {};
    std::shared_ptr<const std::string> pattern = std::make_shared<const std::string>();
    std::uint64_t length = 0;
    std::size_t piece = 0;
    duration gap = {};

    /// True if one write sends it.
    bool is_plain() const { return piece == 0 && length == pattern->size(); }
};

/// The parts of an `answer`, and the end of its connection.
struct composition {
    std::vector<part> parts = {};
    ending end = ending::keep;
    std::optional<ending> next_request = {};               ///< Ends the connection at the next request on it.
    std::optional<std::uint64_t> next_request_bytes = {};  ///< Sends RST once that many bytes of it were read.
    std::optional<std::uint64_t> head_length = {};         ///< The part that HEAD gets. Not set for raw bytes.

    void add(part next);
    void add(std::string_view bytes, std::uint64_t count = 1);
    std::uint64_t length() const;

    /// Removes all after the first `bytes`.
    void cut(std::uint64_t bytes);
};

}  // namespace r2::inline v0_2::testing::detail

#ifndef R2_COMPILED
#include "r2/testing/composition.ipp"
#endif
