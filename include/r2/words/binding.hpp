#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include "r2/config.hpp"

namespace r2::inline v0_2::detail {

/// A class of r2's own that binds as `auto&& [a, b] = it;`: it has a `get<I>()` for each I below its `r2_binding`.
template <class A>
concept binds = requires {
    typename A::r2_binding;
};

}  // namespace r2::inline v0_2::detail

template <r2::detail::binds A> struct std::tuple_size<A> : A::r2_binding {};
template <std::size_t I, r2::detail::binds A> struct std::tuple_element<I, A> {
    using type = decltype(std::declval<A&>().template get<I>());
};
// The standard library's own would make a `response* const` of a const attempt's part.
template <std::size_t I, r2::detail::binds A> struct std::tuple_element<I, const A> {
    using type = decltype(std::declval<const A&>().template get<I>());
};
