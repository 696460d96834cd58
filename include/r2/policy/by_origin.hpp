#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/config.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2 {

/// The requests that share one state of a guard.
enum class scope {
    origin,  ///< Those to the same scheme, host and port.
    global,  ///< All.
};

namespace detail {

/// Numbers origins from 0. After 1,024 of them, a new origin replaces the least recently used one and takes its number.
class origin_numbers {
public:
    static constexpr std::size_t max_origins = 1024;

    struct numbered {
        std::size_t number;
        bool is_new;
    };

    /// Returns the number of the origin of `url`.
    numbered find(std::string_view url);

private:
    struct entry {
        std::size_t hash;
        std::string origin;
        std::uint64_t used = 0;
    };

    static bool begins_with_origin(std::string_view url, std::string_view origin) noexcept;
    std::size_t add(std::string_view origin, std::size_t hash);

    std::vector<entry> entries_;
    std::size_t last_ = 0;
    std::uint64_t clock_ = 0;
    std::string scratch_;
};

/// The states of a guard: one for each origin, or one for all requests. Forgets as `origin_numbers` does.
template <class State> class by_origin {
public:
    static constexpr std::size_t max_origins = origin_numbers::max_origins;

    by_origin(scope s, State initial) : scope_(s), initial_(std::move(initial)) {}
    by_origin(by_origin&&) = delete;

    /// Returns the state for this request, valid until the next call.
    State& of(const request& q) {
        const auto [number, is_new] =
            scope_ == scope::global ? origin_numbers::numbered{0, false} : origins_.find(q.url);
        if (is_new && number < states_.size()) states_[number] = initial_;
        while (states_.size() <= number) states_.push_back(initial_);
        return states_[number];
    }

private:
    scope scope_;
    State initial_;
    std::vector<State> states_;
    origin_numbers origins_;
};

}  // namespace detail

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/policy/by_origin.ipp"
#endif
