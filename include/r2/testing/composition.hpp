#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// What happens to a connection after the last byte.
enum class ending { keep, close, reset, hang };

/// `length` bytes of the endlessly repeated pattern, after a silence, in pieces of `piece` bytes (0: at once).
struct part {
    duration silence = {};
    std::shared_ptr<const std::string> pattern = std::make_shared<const std::string>();
    std::uint64_t length = 0;
    std::size_t piece = 0;
    duration gap = {};

    /// Whether it is no more than one write.
    bool is_plain() const { return piece == 0 && length == pattern->size(); }
};

/// What an answer is made of.
struct composition {
    std::vector<part> parts = {};
    ending end = ending::keep;
    std::optional<ending> next_request = {};               ///< What the next request on the connection is met by.
    std::optional<std::uint64_t> next_request_bytes = {};  ///< A RST once that many bytes of it were read.
    std::optional<std::uint64_t> head_length = {};         ///< So that HEAD gets no body; nothing for raw bytes.

    void add(part next) {
        if (!parts.empty() && parts.back().is_plain() && next.is_plain() && next.silence == duration{}) {
            part& last = parts.back();
            last.pattern = std::make_shared<const std::string>(*last.pattern + *next.pattern);
            last.length += next.length;
            return;
        }
        parts.push_back(std::move(next));
    }

    void add(std::string_view bytes, std::uint64_t count = 1) {
        if (bytes.empty() || count == 0) return;
        const std::uint64_t length = count > unlimited / bytes.size() ? unlimited : bytes.size() * count;
        add(part{.pattern = std::make_shared<const std::string>(bytes), .length = length});
    }

    std::uint64_t length() const {
        std::uint64_t sum = 0;
        for (const part& p : parts) sum = p.length > unlimited - sum ? unlimited : sum + p.length;
        return sum;
    }

    void cut(std::uint64_t bytes) {
        auto each = parts.begin();
        for (; each != parts.end() && (bytes > 0 || each->length == 0); ++each) {
            each->length = std::min(each->length, bytes);
            bytes -= each->length;
        }
        parts.erase(each, parts.end());
    }
};

}  // namespace r2::inline v0_2::testing::detail
