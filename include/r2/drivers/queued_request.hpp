#pragma once

#include <concepts>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "r2/policy/options.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

/// A request as `all` reads it, with options of its own or those of `all`.
struct queued_request {
    r2::request request;
    std::optional<r2::options> own = {};
};

/// Reads one request after the other; nothing at the end.
using request_reader = std::function<std::optional<queued_request>()>;

template <class E>
concept url_or_request = std::convertible_to<E, request> || std::convertible_to<E, std::string>;

template <class E>
concept with_options = requires(E&& e) {
    { std::forward<E>(e).first } -> url_or_request;
    { std::forward<E>(e).second } -> std::convertible_to<options>;
};

/// The ranges that `all` takes: of URLs, of requests, or of pairs of either and options.
template <class R>
concept requests = requires(R& r) {
    { std::begin(r) != std::end(r) } -> std::convertible_to<bool>;
    requires url_or_request<decltype(*std::begin(r))> || with_options<decltype(*std::begin(r))>;
};

template <class E> request request_of(E&& e) {
    if constexpr (std::convertible_to<E, request>)
        return std::forward<E>(e);
    else
        return {.url = std::string(std::forward<E>(e))};
}

template <class E> queued_request queued_request_of(E&& e) {
    if constexpr (with_options<E>)
        return {request_of(std::forward<E>(e).first), std::forward<E>(e).second};
    else
        return {request_of(std::forward<E>(e))};
}

/// Reads the elements of a range as they are asked for, and no sooner.
template <class R> class range_reader {
public:
    explicit range_reader(R&& range) : range_(std::forward<R>(range)) {}

    std::optional<queued_request> operator()() {
        if (next_)
            ++*next_;
        else
            next_.emplace(std::begin(range_));
        if (!(*next_ != std::end(range_))) return std::nullopt;
        return queued_request_of(**next_);
    }

private:
    R range_;  // a reference to what was an lvalue
    std::optional<decltype(std::begin(std::declval<R&>()))> next_ = {};
};

}  // namespace r2::inline v0_2::detail
