#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "r2/policy/predicate.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2 {

namespace detail {

template <class R>
concept answer = std::is_void_v<R> || std::same_as<std::remove_cvref_t<R>, response> ||
    std::same_as<std::remove_cvref_t<R>, std::optional<response>>;

template <class F>
concept on_request_and_number = requires(F& f, request& q, int n) {
    { std::invoke(f, q, n) } -> answer;
};

template <class F>
concept on_request = requires(F& f, request& q) {
    { std::invoke(f, q) } -> answer;
};

}  // namespace detail

/// A callable on `(request&)` or `(request&, int number)` that returns nothing, or a `response` or
/// `std::optional<response>` to answer without sending.
template <class F>
concept before_attempt_callable = detail::on_request_and_number<F> || detail::on_request<F>;

class before_attempt_hook;

namespace detail {

template <class F>
concept makes_before_attempt =
    !std::same_as<std::remove_cvref_t<F>, before_attempt_hook> && before_attempt_callable<std::decay_t<F>>;

template <class F>
concept makes_no_before_attempt =
    !std::same_as<std::remove_cvref_t<F>, before_attempt_hook> && !before_attempt_callable<std::decay_t<F>>;

}  // namespace detail

/// Holds any `before_attempt_callable`. Default-made it is unset.
class before_attempt_hook {
public:
    before_attempt_hook() = default;
    before_attempt_hook(std::nullptr_t) {}

    template <detail::makes_before_attempt F> before_attempt_hook(F&& callable) {
        std::decay_t<F> f = std::forward<F>(callable);
        if constexpr (detail::may_be_null<std::decay_t<F>>)
            if (f == nullptr) return;
        call_ = [f = std::move(f)](request& q, int number) mutable -> std::optional<response> {
            const auto call = [&]() -> decltype(auto) {
                if constexpr (detail::on_request_and_number<std::decay_t<F>>)
                    return std::invoke(f, q, number);
                else
                    return std::invoke(f, q);
            };
            if constexpr (std::is_void_v<decltype(call())>) {
                call();
                return std::nullopt;
            } else {
                return call();
            }
        };
    }

    /// See before_attempt_callable.
    template <detail::makes_no_before_attempt F> before_attempt_hook(F&&) = delete;

    explicit operator bool() const noexcept { return static_cast<bool>(call_); }
    std::optional<response> operator()(request& q, int number) const { return call_(q, number); }

private:
    std::function<std::optional<response>(request&, int)> call_;
};

using after_attempt_hook = std::function<void(const request&, attempt&)>;
using on_attempt_hook = std::function<void(const request&, const attempt&)>;

}  // namespace r2::inline v0_2
