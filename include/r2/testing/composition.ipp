#pragma once

#include <algorithm>
#include <utility>

#include "r2/testing/composition.hpp"

namespace r2::inline v0_2::testing::detail {

R2_INLINE void composition::add(part next) {
    if (!parts.empty() && parts.back().is_plain() && next.is_plain() && next.silence == duration{}) {
        part& last = parts.back();
        last.pattern = std::make_shared<const std::string>(*last.pattern + *next.pattern);
        last.length += next.length;
        return;
    }
    parts.push_back(std::move(next));
}

R2_INLINE void composition::add(std::string_view bytes, std::uint64_t count) {
    if (bytes.empty() || count == 0) return;
    const std::uint64_t length = count > unlimited / bytes.size() ? unlimited : bytes.size() * count;
    add(part{.pattern = std::make_shared<const std::string>(bytes), .length = length});
}

R2_INLINE std::uint64_t composition::length() const {
    std::uint64_t sum = 0;
    for (const part& p : parts) sum = p.length > unlimited - sum ? unlimited : sum + p.length;
    return sum;
}

R2_INLINE void composition::cut(std::uint64_t bytes) {
    auto each = parts.begin();
    for (; each != parts.end() && (bytes > 0 || each->length == 0); ++each) {
        each->length = std::min(each->length, bytes);
        bytes -= each->length;
    }
    parts.erase(each, parts.end());
}

}  // namespace r2::inline v0_2::testing::detail
