#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

/// An attempt of one of many requests. Binds as `auto&& [job, res, err] = a;`.
class job_attempt : public attempt {
public:
    job_attempt(attempt a, std::size_t job) : attempt(std::move(a)), job_(job) {}

    /// The position of its request in the range, from 0.
    std::size_t job() const noexcept { return job_; }

    using r2_binding = std::integral_constant<std::size_t, 3>;
    template <std::size_t I> decltype(auto) get() noexcept { return part<I>(*this); }
    template <std::size_t I> decltype(auto) get() const noexcept { return part<I>(*this); }

private:
    template <std::size_t I, class Self> static decltype(auto) part(Self& self) noexcept {
        static_assert(I < r2_binding::value, "an attempt of many binds three: [job, res, err]");
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
