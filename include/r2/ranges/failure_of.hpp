#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "r2/words/error.hpp"

namespace r2::inline v0_2 {

namespace detail {

struct unrecoverable_base {
    std::exception_ptr inner;
};

}  // namespace detail

/// Ends a `retry` at once, whatever `retry_if` says: throw it, or return it as the error of an expected.
/// `error::exception()` gives what is in it.
template <class E> struct unrecoverable : detail::unrecoverable_base {
    explicit unrecoverable(E e) {
        if constexpr (std::same_as<E, std::exception_ptr>)
            inner = std::move(e);
        else
            inner = std::make_exception_ptr(std::move(e));
    }
};

namespace detail {

/// std::expected and its kind.
template <class R>
concept expected_like = requires(const R& r) {
    { r.has_value() } -> std::convertible_to<bool>;
    r.error();
};

template <class R>
concept dereferenceable = requires(R& r) {
    *r;
};

/// tl::expected<void, E> has no `*`; std::expected<void, E> has one that returns void.
template <class R>
concept expects_nothing = !dereferenceable<R> || std::is_void_v<decltype(*std::declval<R&>())>;

inline std::string message_of(const std::exception_ptr& e) {
    if (!e) return {};
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception of no standard type";
    }
}

inline error thrown(const std::exception_ptr& e, bool transient) { return error(e, message_of(e), transient); }

inline error failure_of(const error& e) { return e; }

/// Converts the error of an expected, as well as its type allows.
template <class E> error failure_of(const E& e) {
    if constexpr (std::derived_from<E, unrecoverable_base>)
        return thrown(e.inner, false);
    else if constexpr (std::same_as<E, std::exception_ptr>)
        return thrown(e, true);
    else if constexpr (std::derived_from<E, std::exception>)
        return error(std::make_exception_ptr(e), e.what(), true);
    else if constexpr (std::convertible_to<const E&, std::error_code>)
        return error(errc::failed, std::error_code(e), std::error_code(e).message(), sent::no, true);
    else if constexpr (std::convertible_to<const E&, std::string_view>)
        return error(nullptr, std::string(std::string_view(e)), true);
    else if constexpr (std::same_as<E, errc>)
        return error(e);
    else if constexpr (std::copy_constructible<E>)
        return error(std::make_exception_ptr(e), {}, true);  // rethrow it for the rest
    else
        return error(nullptr, {}, true);
}

}  // namespace detail

}  // namespace r2::inline v0_2
