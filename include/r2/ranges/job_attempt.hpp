#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

/// An attempt of one of many requests. Binds as `auto&& [job, res, err] = a;`.
class job_attempt : public attempt {
public:
    job_attempt(attempt a, std::size_t job) : attempt(std::move(a)), job_(job) {}

    /// Which request it is an attempt of: from 0, in the order of the range.
    std::size_t job() const noexcept { return job_; }

    template <std::size_t I> decltype(auto) get() noexcept { return part<I>(*this); }
    template <std::size_t I> decltype(auto) get() const noexcept { return part<I>(*this); }

private:
    template <std::size_t I, class Self> static decltype(auto) part(Self& self) noexcept {
        static_assert(I < 3, "an attempt of many binds three: [job, res, err]");
        if constexpr (I == 0)
            return self.job();
        else if constexpr (I == 1)
            return self.response();
        else
            return self.error();
    }

    std::size_t job_;
};

}  // namespace r2::inline v0_2

template <> struct std::tuple_size<r2::job_attempt> : std::integral_constant<std::size_t, 3> {};
template <std::size_t I> struct std::tuple_element<I, r2::job_attempt> {
    using type = decltype(std::declval<r2::job_attempt&>().template get<I>());
};
template <std::size_t I> struct std::tuple_element<I, const r2::job_attempt> {
    using type = decltype(std::declval<const r2::job_attempt&>().template get<I>());
};
