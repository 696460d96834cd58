#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "r2/config.hpp"

namespace r2::inline v0_2::detail {

/// A class that binds as `auto&& [a, b] = it;`: it has a `get<I>()` for each I below its `binding_size`.
template <class A>
concept binds = requires {
    { std::remove_cv_t<A>::binding_size } -> std::convertible_to<std::size_t>;
};

}  // namespace r2::inline v0_2::detail

template <r2::detail::binds A> struct std::tuple_size<A> : std::integral_constant<std::size_t, A::binding_size> {};
template <std::size_t I, r2::detail::binds A> struct std::tuple_element<I, A> {
    using type = decltype(std::declval<A&>().template get<I>());
};
// The standard library's own would make a `response* const` of a const attempt's part.
template <std::size_t I, r2::detail::binds A> struct std::tuple_element<I, const A> {
    using type = decltype(std::declval<const A&>().template get<I>());
};
