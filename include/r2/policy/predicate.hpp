#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Marks what is asked with the whole attempt and composes with `||`, `&&` and `!`.
struct predicate_base {};

template <class F>
concept own_predicate = std::derived_from<std::remove_cvref_t<F>, predicate_base>;

template <class F>
concept asks_response = std::is_invocable_r_v<bool, F&, const response&>;
template <class F>
concept asks_attempt = std::is_invocable_r_v<bool, F&, const attempt&>;
template <class F>
concept asks_both = std::is_invocable_r_v<bool, F&, const response*, const error&>;

}  // namespace detail

/// What a predicate can be made of: a callable on `(const response&)`, `(const attempt&)` or
/// `(const response*, const error&)`, that returns a bool.
template <class F>
concept predicate_callable =
    detail::own_predicate<F> || detail::asks_response<F> || detail::asks_attempt<F> || detail::asks_both<F>;

namespace detail {

/// One on `(const response&)` is false where there was no response; a generic lambda is asked that way.
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

}  // namespace detail

class predicate;

namespace detail {

template <class F> inline constexpr bool may_be_null = std::is_pointer_v<F> || std::is_member_pointer_v<F>;
template <class F> inline constexpr bool may_be_null<std::function<F>> = true;

template <class F>
concept makes_predicate = !std::same_as<std::remove_cvref_t<F>, predicate> && predicate_callable<std::decay_t<F>>;

// Taken by a deleted constructor, so that the compiler names what is wrong in the middle of a braced list too.
template <class F>
concept makes_no_predicate = !std::same_as<std::remove_cvref_t<F>, predicate> && !predicate_callable<std::decay_t<F>>;

}  // namespace detail

/// Any question about an attempt. Default-made it is unset, which each option says the meaning of; asked, it is false.
class predicate : public detail::predicate_base {
public:
    predicate() = default;
    predicate(std::nullptr_t) {}

    template <detail::makes_predicate F> predicate(F&& callable) {
        std::decay_t<F> f = std::forward<F>(callable);
        if constexpr (detail::may_be_null<std::decay_t<F>>)
            if (f == nullptr) return;
        ask_ = [f = std::move(f)](const attempt& a) mutable { return detail::ask(f, a); };
    }

    /// See predicate_callable.
    template <detail::makes_no_predicate F> predicate(F&&) = delete;

    explicit operator bool() const noexcept { return static_cast<bool>(ask_); }
    bool operator()(const attempt& a) const { return ask_ && ask_(a); }

private:
    std::function<bool(const attempt&)> ask_;
};

namespace detail {

// Compositions keep their parts' types, so that ready-made predicates compose at compile time.

template <class A, class B> struct either : predicate_base {
    mutable A a;  // as a callable may change itself when called
    mutable B b;
    constexpr either(A first, B second) : a(std::move(first)), b(std::move(second)) {}
    constexpr bool operator()(const attempt& x) const { return ask(a, x) || ask(b, x); }
};

template <class A, class B> struct both : predicate_base {
    mutable A a;  // as a callable may change itself when called
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
concept composable = (own_predicate<A> ||
                      own_predicate<B>)&&predicate_callable<std::decay_t<A>>&& predicate_callable<std::decay_t<B>>;

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
