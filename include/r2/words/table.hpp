#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "r2/words/log_text.hpp"

namespace r2::inline v0_2::detail {

/// Formats rows as lines. Each column is as wide as its widest cell, and two spaces apart from the next; the last one
/// isn't padded.
template <std::size_t N> std::string table(const std::vector<std::array<std::string, N>>& rows) {
    std::array<std::size_t, N> widths = {};
    for (const auto& row : rows)
        for (std::size_t i = 0; i < N; ++i) widths[i] = std::max(widths[i], character_count(row[i]));
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i + 1 < N; ++i)
            text += row[i] + std::string(widths[i] - character_count(row[i]) + 2, ' ');
        text += row.back() + '\n';
    }
    return text;
}

}  // namespace r2::inline v0_2::detail
