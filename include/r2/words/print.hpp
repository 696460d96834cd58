#pragma once

#include <concepts>
#include <iosfwd>
#include <string_view>
#include <type_traits>

namespace r2::inline v0_2 {

namespace detail {

template <class E>
concept named_enum = std::is_enum_v<E> && requires(E e) {
    { to_string(e) } -> std::same_as<std::string_view>;
};

}  // namespace detail

/// Prints an enumerator of r2 by its `to_string`.
template <class Traits, detail::named_enum E>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, E e) {
    return out << to_string(e);
}

}  // namespace r2::inline v0_2
