// tests/mutation/run includes this before everything else. A program has all mutants; the environment variable
// R2_MUTANT is the number of the one that is on. Constant expressions see no mutant.
#pragma once

#include <climits>
#include <cstdlib>
#include <type_traits>

namespace r2_mutation {

inline unsigned char reached[20'000];  // by the running test
inline int active = -1;                // R2_MUTANT wasn't read yet

inline int look() noexcept {
    const char* const name = std::getenv("R2_MUTANT");
    const int found = name ? std::atoi(name) : INT_MAX;
    __atomic_store_n(&active, found, __ATOMIC_RELAXED);
    return found;
}

/// Whether this mutant is on. 0 is no mutant.
constexpr bool on(int mutant) noexcept {
    if (std::is_constant_evaluated()) return false;
    __atomic_store_n(&reached[mutant], 1, __ATOMIC_RELAXED);
    const int it = __atomic_load_n(&active, __ATOMIC_RELAXED);
    return (it < 0 ? look() : it) == mutant;
}

/// Returns the number, or one more or one less where that mutant is on.
template <int more, int less> constexpr auto number(auto n) noexcept {
    if (more && on(more)) return n + 1;
    if (less && on(less)) return n - 1;
    return n;
}

template <int mutant> constexpr bool negated(bool b) noexcept { return on(mutant) ? !b : b; }

/// Stands between an operator and the same operator again: `a < comparison<1, 2>() < b` binds as `a < b` does.
template <int one, int other> struct comparison {};
template <int one, int other, class T> struct half { const T& left; };

#define R2_MUTATION_OF(op, change, other_change)                                       \
    template <class T, int one, int other>                                             \
    constexpr half<one, other, T> operator op(const T& left, comparison<one, other>) { \
        return {left};                                                                 \
    }                                                                                  \
    template <int one, int other, class T, class U>                                    \
    constexpr bool operator op(half<one, other, T> h, const U& right) {                \
        if (on(one)) return h.left change right;                                       \
        if constexpr (other != 0)                                                      \
            if (on(other)) return h.left other_change right;                           \
        return h.left op right;                                                        \
    }
R2_MUTATION_OF(<, <=, >)
R2_MUTATION_OF(<=, <, >=)
R2_MUTATION_OF(>, >=, <)
R2_MUTATION_OF(>=, >, <=)
R2_MUTATION_OF(==, !=, !=)
R2_MUTATION_OF(!=, ==, ==)
#undef R2_MUTATION_OF

/// A static_assert that runs before main(), where mutants can be on.
inline bool held(bool holds, const char* = "") {
    if (!holds) std::_Exit(1);
    return true;
}
#define R2_MUTATION_JOIN_(a, b) a##b
#define R2_MUTATION_JOIN(a, b) R2_MUTATION_JOIN_(a, b)
#define R2_MUTATION_ASSERT(...) \
    [[maybe_unused]] static const bool R2_MUTATION_JOIN(held_, __COUNTER__) = r2_mutation::held(__VA_ARGS__)

}  // namespace r2_mutation
