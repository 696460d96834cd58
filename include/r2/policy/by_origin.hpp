#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "r2/words/origin.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2 {

/// What shares the state of a guard: the requests to one scheme, host and port, or all.
enum class scope { origin, global };

namespace detail {

/// The states of a guard. Of more than 1,024 origins, the one that was asked for least recently is forgotten.
template <class State> class by_origin {
public:
    static constexpr std::size_t max_origins = 1024;

    by_origin(scope s, State initial) : scope_(s), initial_(std::move(initial)), global_(initial_) {}
    by_origin(by_origin&&) = delete;

    State& of(const request& q) {
        if (scope_ == scope::global) return global_;
        if (!last_ || !begins_with_origin(q.url, last_->first)) last_ = &find(origin_of(q.url, scratch_));
        last_->second.used = ++clock_;
        return last_->second.state;
    }

private:
    struct entry {
        State state;
        std::uint64_t used = 0;
    };
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };
    using entries = std::unordered_map<std::string, entry, hash, std::equal_to<>>;

    /// Quickly, and false where that takes a closer look.
    static bool begins_with_origin(std::string_view url, std::string_view origin) noexcept {
        if (origin.empty() || !url.starts_with(origin)) return false;
        return url.size() == origin.size() || url[origin.size()] == '/';
    }

    typename entries::value_type& find(std::string_view origin) {
        if (const auto found = entries_.find(origin); found != entries_.end()) return *found;
        if (entries_.size() >= max_origins) {
            const auto less = [](const auto& a, const auto& b) { return a.second.used < b.second.used; };
            last_ = nullptr;
            entries_.erase(std::min_element(entries_.begin(), entries_.end(), less));
        }
        return *entries_.emplace(origin, entry{initial_}).first;
    }

    scope scope_;
    State initial_;
    State global_;
    entries entries_;
    typename entries::value_type* last_ = nullptr;
    std::uint64_t clock_ = 0;
    std::string scratch_;
};

}  // namespace detail

}  // namespace r2::inline v0_2
