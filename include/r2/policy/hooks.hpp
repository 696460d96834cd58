#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "r2/policy/predicate.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail {

template <class R>
concept before_attempt_result = std::is_void_v<R> || std::same_as<std::remove_cvref_t<R>, response> ||
    std::same_as<std::remove_cvref_t<R>, std::optional<response>>;

template <class F>
concept on_request_and_number = requires(F& f, request& q, int n) {
    { std::invoke(f, q, n) } -> before_attempt_result;
};

template <class F>
concept on_request = requires(F& f, request& q) {
    { std::invoke(f, q) } -> before_attempt_result;
};

template <class R, class First, class... Rest> constexpr bool first_is_request(R (*)(First, Rest...)) {
    return std::same_as<First, request>;
}
template <class C, class R, class First, class... Rest> constexpr bool first_is_request(R (C::*)(First, Rest...)) {
    return std::same_as<First, request>;
}
template <class C, class R, class First, class... Rest>
constexpr bool first_is_request(R (C::*)(First, Rest...) const) {
    return std::same_as<First, request>;
}
template <class C, class R, class First, class... Rest> constexpr bool first_is_request(R (C::*)(First, Rest...) &) {
    return std::same_as<First, request>;
}
template <class C, class R, class First, class... Rest>
constexpr bool first_is_request(R (C::*)(First, Rest...) const&) {
    return std::same_as<First, request>;
}

/// Whether a function, a lambda or a generic lambda takes a copy of the request, so that its changes would be lost.
/// Can't look into overloaded call operators and binders.
template <class F> constexpr bool takes_request_by_value() {
    if constexpr (!std::is_invocable_v<F&, request> && !std::is_invocable_v<F&, request, int>)
        return false;  // `(request&)` and `(auto&)`; the body of a generic lambda may not compile with other arguments
    else if constexpr (requires { first_is_request(F()); })
        return first_is_request(F());
    else if constexpr (requires { first_is_request(&F::operator()); })
        return first_is_request(&F::operator());
    else if constexpr (requires { first_is_request(&F::template operator()<request>); })
        return first_is_request(&F::template operator()<request>);
    else if constexpr (requires { first_is_request(&F::template operator()<request, int>); })
        return first_is_request(&F::template operator()<request, int>);
    else
        return false;
}

template <class F>
concept before_attempt_callable = !takes_request_by_value<F>() && (on_request_and_number<F> || on_request<F>);

/// The callable of `options::before_attempt`. Default-constructed it is *unset*.
class before_attempt_hook {
public:
    before_attempt_hook() = default;
    before_attempt_hook(std::nullptr_t) {}

    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, before_attempt_hook>) before_attempt_hook(F&& callable) {
        using callable_type = std::decay_t<F>;
        constexpr bool fits = before_attempt_callable<callable_type> && std::copy_constructible<callable_type>;
        static_assert(fits,
                      "before_attempt is a copyable callable on (request&) or (request&, int number), not on a request "
                      "by value; it returns void, r2::response or std::optional<r2::response>");
        if constexpr (fits) {
            callable_type f = std::forward<F>(callable);
            if constexpr (may_be_null<callable_type>)
                if (f == nullptr) return;
            call_ = [f = std::move(f)](request& q, int number) mutable { return call(f, q, number); };
        }
    }

    explicit operator bool() const noexcept { return static_cast<bool>(call_); }
    std::optional<response> operator()(request& q, int number) const { return call_(q, number); }

private:
    template <class F> static std::optional<response> call(F& f, request& q, int number) {
        const auto invoke = [&]() -> decltype(auto) {
            if constexpr (on_request_and_number<F>)
                return std::invoke(f, q, number);
            else
                return std::invoke(f, q);
        };
        if constexpr (std::is_void_v<decltype(invoke())>) {
            invoke();
            return std::nullopt;
        } else {
            return invoke();
        }
    }

    std::function<std::optional<response>(request&, int)> call_;
};

/// The callable of `options::after_attempt` or `options::on_attempt`. Default-constructed it is *unset*.
template <class Attempt> class attempt_hook {
public:
    attempt_hook() = default;
    attempt_hook(std::nullptr_t) {}

    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, attempt_hook>) attempt_hook(F&& callable) {
        using callable_type = std::decay_t<F>;
        constexpr bool fits =
            std::is_invocable_v<callable_type&, const request&, Attempt&> && std::copy_constructible<callable_type>;
        static_assert(fits,
                      "after_attempt is a copyable callable on (const request&, attempt&), "
                      "on_attempt one on (const request&, const attempt&)");
        if constexpr (fits)
            if (!is_unset(callable)) call_ = std::forward<F>(callable);
    }

    explicit operator bool() const noexcept { return static_cast<bool>(call_); }
    void operator()(const request& q, Attempt& a) const { call_(q, a); }

private:
    template <class F> static bool is_unset(const F& callable) {
        if constexpr (may_be_null<F>) return callable == nullptr;
        if constexpr (std::same_as<F, attempt_hook<const attempt>>) return !callable;
        return false;
    }

    std::function<void(const request&, Attempt&)> call_;
};

using after_attempt_hook = attempt_hook<attempt>;
using on_attempt_hook = attempt_hook<const attempt>;

}  // namespace r2::inline v0_2::detail
