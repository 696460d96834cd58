#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "r2/ranges/failure_of.hpp"
#include "r2/words/attempt.hpp"

namespace r2::inline v0_2 {

namespace detail {

struct nothing {};

/// The result of a callable that returns R, as it is kept.
template <class R> using stored = std::conditional_t<std::is_void_v<R>, nothing, std::decay_t<R>>;

}  // namespace detail

/// One call of a `retry`'s callable: its value or its error, and the decision that followed. Binds as
/// `auto&& [value, err] = t;`: `value` points to the returned value; it is a bool if the callable returns nothing.
template <class R> class trial : attempt {
public:
    using attempt::elapsed;
    using attempt::ended;
    using attempt::error;
    using attempt::is_last;
    using attempt::number;
    using attempt::refusal;
    using attempt::wait;
    using attempt::wait_from;

    trial(attempt a, std::optional<detail::stored<R>>&& result) : attempt(std::move(a)), result_(std::move(result)) {}

    /// Returns null, or false, if the call failed. Lives as long as the trial; may be moved from.
    auto value() noexcept { return value_in(result_, this->error()); }
    auto value() const noexcept { return value_in(result_, this->error()); }

    /// Internal.
    trial with(attempt a) && { return {std::move(a), std::move(result_)}; }

    using r2_binding = std::integral_constant<std::size_t, 2>;
    template <std::size_t I> decltype(auto) get() noexcept { return part<I>(*this); }
    template <std::size_t I> decltype(auto) get() const noexcept { return part<I>(*this); }

private:
    template <class Result> static auto value_in(Result& r, const r2::error& e) noexcept {
        if constexpr (std::is_void_v<R>)
            return !e;
        else if constexpr (!detail::expected_like<detail::stored<R>>)
            return e ? nullptr : std::addressof(*r);
        else if constexpr (detail::expects_nothing<detail::stored<R>>)
            return !e;
        else
            return e ? nullptr : std::addressof(**r);
    }

    template <std::size_t I, class Self> static decltype(auto) part(Self& self) noexcept {
        static_assert(I < r2_binding::value, "a trial binds two: [value, err]");
        if constexpr (I == 0)
            return self.value();
        else
            return self.error();
    }

    std::optional<detail::stored<R>> result_;
};

}  // namespace r2::inline v0_2
