#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// The base of predicates that r2 makes. They take an attempt, and compose with `||`, `&&` and `!`.
struct predicate_base {};

template <class F>
concept own_predicate = std::derived_from<std::remove_cvref_t<F>, predicate_base>;

template <class F>
concept asks_response = std::is_invocable_r_v<bool, F&, const response&>;
template <class F>
concept asks_attempt = std::is_invocable_r_v<bool, F&, const attempt&>;
template <class F>
concept asks_both = std::is_invocable_r_v<bool, F&, const response*, const error&>;

template <class F>
concept predicate_callable = own_predicate<F> || asks_response<F> || asks_attempt<F> || asks_both<F>;

/// Calls the first form that fits, so a generic lambda gets the response. Without a response that form is false.
template <predicate_callable F> constexpr bool ask(F& f, const attempt& a) {
    if constexpr (own_predicate<F>)
        return f(a);
    else if constexpr (asks_response<F>)
        return a.response() != nullptr && static_cast<bool>(std::invoke(f, *a.response()));
    else if constexpr (asks_attempt<F>)
        return static_cast<bool>(std::invoke(f, a));
    else
        return static_cast<bool>(std::invoke(f, a.response(), a.error()));
}

template <class F> inline constexpr bool may_be_null = std::is_pointer_v<F> || std::is_member_pointer_v<F>;
template <class F> inline constexpr bool may_be_null<std::function<F>> = true;

}  // namespace detail

/// A predicate on an attempt, made of a callable on `(const response&)`, `(const attempt&)` or
/// `(const response*, const error&)` that returns a bool. Default-constructed it is *unset* (each option says what that
/// means); calling it returns false.
class predicate : public detail::predicate_base {
public:
    predicate() = default;
    predicate(std::nullptr_t) {}

    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, predicate>) predicate(F&& callable) {
        using callable_type = std::decay_t<F>;
        constexpr bool fits = detail::predicate_callable<callable_type> && std::copy_constructible<callable_type>;
        static_assert(fits,
                      "a predicate is a copyable callable on (const response&), (const attempt&) or "
                      "(const response*, const error&) that returns bool");
        if constexpr (fits) {
            callable_type f = std::forward<F>(callable);
            if constexpr (detail::may_be_null<callable_type>)
                if (f == nullptr) return;
            ask_ = [f = std::move(f)](const attempt& a) mutable { return detail::ask(f, a); };
        }
    }

    explicit operator bool() const noexcept { return static_cast<bool>(ask_); }
    bool operator()(const attempt& a) const { return ask_ && ask_(a); }

private:
    std::function<bool(const attempt&)> ask_;
};

namespace detail {

// Compositions keep the types of their parts: the compiler can inline them. The parts are mutable, as calling a
// callable may change it.

template <class A, class B> struct either : predicate_base {
    mutable A a;
    mutable B b;
    constexpr either(A first, B second) : a(std::move(first)), b(std::move(second)) {}
    constexpr bool operator()(const attempt& x) const { return ask(a, x) || ask(b, x); }
};

template <class A, class B> struct both : predicate_base {
    mutable A a;
    mutable B b;
    constexpr both(A first, B second) : a(std::move(first)), b(std::move(second)) {}
    constexpr bool operator()(const attempt& x) const { return ask(a, x) && ask(b, x); }
};

template <class A> struct negation : predicate_base {
    mutable A a;
    constexpr explicit negation(A inner) : a(std::move(inner)) {}
    constexpr bool operator()(const attempt& x) const { return !ask(a, x); }
};

template <class A, class B>
concept composable = predicate_callable<std::decay_t<A>> && predicate_callable<std::decay_t<B>> &&
    (own_predicate<A> || own_predicate<B>);

template <class A, class B>
requires composable<A, B>
constexpr auto operator||(A&& a, B&& b) {
    return either<std::decay_t<A>, std::decay_t<B>>(std::forward<A>(a), std::forward<B>(b));
}

template <class A, class B>
requires composable<A, B>
constexpr auto operator&&(A&& a, B&& b) {
    return both<std::decay_t<A>, std::decay_t<B>>(std::forward<A>(a), std::forward<B>(b));
}

template <own_predicate A> constexpr auto operator!(A&& a) { return negation<std::decay_t<A>>(std::forward<A>(a)); }

}  // namespace detail

}  // namespace r2::inline v0_2
