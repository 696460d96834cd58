#pragma once

#include <functional>

#include "r2/policy/by_origin.hpp"
#include "r2/words/origin.hpp"

namespace r2::inline v0_2::detail {

R2_INLINE origin_numbers::numbered origin_numbers::find(std::string_view url) {
    bool is_new = false;
    if (entries_.empty() || !begins_with_origin(url, entries_[last_].origin)) {
        const std::string_view origin = origin_of(url, scratch_);
        const std::size_t hash = std::hash<std::string_view>()(origin);
        std::size_t found = 0;
        while (found < entries_.size() && (entries_[found].hash != hash || entries_[found].origin != origin)) ++found;
        is_new = found == entries_.size();
        last_ = is_new ? add(origin, hash) : found;
    }
    entries_[last_].used = ++clock_;
    return {last_, is_new};
}

/// A quick test. False does not mean another origin: `origin_of` decides then.
R2_INLINE bool origin_numbers::begins_with_origin(std::string_view url, std::string_view origin) noexcept {
    if (origin.empty() || !url.starts_with(origin)) return false;
    return url.size() == origin.size() || url[origin.size()] == '/';
}

R2_INLINE std::size_t origin_numbers::add(std::string_view origin, std::size_t hash) {
    entry added{hash, std::string(origin)};
    if (entries_.size() < max_origins) {
        entries_.push_back(std::move(added));
        return entries_.size() - 1;
    }
    std::size_t oldest = 0;
    for (std::size_t i = 1; i < entries_.size(); ++i)
        if (entries_[i].used < entries_[oldest].used) oldest = i;
    entries_[oldest] = std::move(added);
    return oldest;
}

}  // namespace r2::inline v0_2::detail
