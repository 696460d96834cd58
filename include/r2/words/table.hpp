#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "r2/words/log_text.hpp"

namespace r2::inline v0_2::detail {

/// Lines whose columns are as wide as what is in them, two spaces apart; the last column is left as it is.
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
