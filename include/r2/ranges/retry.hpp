#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include "r2/policy/options.hpp"
#include "r2/ranges/attempts.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/error.hpp"

namespace r2::inline v0_2 {

namespace detail {

struct unrecoverable_base {
    std::exception_ptr inner;
};

}  // namespace detail

/// Ends a `retry` at once, whatever `retry_if` says: throw it, or return it as the error of an expected. What is in it
/// is what `error::exception()` gives.
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

/// Of tl::expected<void, E>, there is no `*`; of std::expected, it gives nothing.
template <class R>
concept expects_nothing = !requires(R & r) {
    *r;
}
|| requires(R& r) { requires std::is_void_v<decltype(*r)>; };

inline std::string what(const std::exception_ptr& e) {
    if (!e) return {};
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception of no standard type";
    }
}

inline error thrown(const std::exception_ptr& e, bool transient) { return error(e, what(e), transient); }
inline error failure_of(const error& e) { return e; }

/// What an expected holds in place of a value, as far as it can be told of any type.
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
        return error(std::make_exception_ptr(e), {}, true);  // to be told by a catch of its type
    else
        return error(nullptr, {}, true);
}

struct nothing {};

template <class R> using stored = std::conditional_t<std::is_void_v<R>, nothing, std::decay_t<R>>;

}  // namespace detail

/// One call of a `retry`'s callable: its value or its error, and what was decided then. Binds as
/// `auto&& [value, err] = t;`, where `value` points to what it returned, or is a bool where that is nothing.
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

    /// Null, or false, where the call failed. Lives as long as the trial; moving out of it is allowed.
    auto value() noexcept { return value_in(result_, this->error()); }
    auto value() const noexcept { return value_in(result_, this->error()); }

    template <std::size_t I> decltype(auto) get() noexcept { return part<I>(*this); }
    template <std::size_t I> decltype(auto) get() const noexcept { return part<I>(*this); }

private:
    template <class> friend class retries;

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
        static_assert(I < 2, "a trial binds two: [value, err]");
        if constexpr (I == 0)
            return self.value();
        else
            return self.error();
    }

    std::optional<detail::stored<R>> result_;
};

namespace detail {

/// A callable, and what came of its last call.
template <class F> struct calls {
    using result = std::invoke_result_t<F&>;

    F f;
    std::optional<stored<result>> last = {};
    std::optional<trial<result>> current = {};  // what the loop's variable refers to
    bool unrecoverable = false;

    attempt operator()() {
        current.reset();
        last.reset();
        unrecoverable = false;
        try {
            return made();
        } catch (const unrecoverable_base& e) {
            unrecoverable = true;
            return attempt(thrown(e.inner, false));
        } catch (const error& e) {
            return attempt(e);
        } catch (...) {
            return attempt(thrown(std::current_exception(), true));
        }
    }

private:
    attempt made() {
        if constexpr (std::is_void_v<result>) {
            f();
            last.emplace();
        } else {
            last.emplace(f());
            if constexpr (expected_like<stored<result>>) {
                if (!last->has_value()) {
                    unrecoverable = std::derived_from<std::decay_t<decltype(last->error())>, unrecoverable_base>;
                    return attempt(failure_of(last->error()));
                }
            }
        }
        return attempt(response{.status = 200});
    }
};

}  // namespace detail

/// The calls that `retry` makes: a single-pass range of `trial&`, which calls as it is pulled. As `attempts` otherwise.
template <class F>
class [[nodiscard("a range that is not pulled calls nothing: loop over it, or call finish()")]] retries {
    using result = std::invoke_result_t<F&>;

public:
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = trial<result>;
        using difference_type = std::ptrdiff_t;

        iterator() = default;

        trial<result>& operator*() const {
            const attempt& a = *attempts_;
            if (!calls_->current) calls_->current.emplace(a, std::move(calls_->last));
            return *calls_->current;
        }
        trial<result>* operator->() const { return &**this; }
        iterator& operator++() {
            ++attempts_;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t end) { return i.attempts_ == end; }

    private:
        friend class retries;
        iterator(attempts::iterator a, detail::calls<F>* c) : attempts_(a), calls_(c) {}

        attempts::iterator attempts_;
        detail::calls<F>* calls_ = nullptr;
    };

    retries(std::unique_ptr<detail::calls<F>> calls, attempts a) : calls_(std::move(calls)), attempts_(std::move(a)) {}

    iterator begin() noexcept { return {attempts_.begin(), calls_.get()}; }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// Why it ended; known from the last call on.
    r2::ended ended() const noexcept { return attempts_.ended(); }

    /// What happened, in one line: see `attempts::summary`.
    std::string summary() const { return attempts_.summary(); }

    /// Makes all the calls that are left, and returns the last one. Blocks, waits included.
    trial<result> finish() {
        attempt last = attempts_.finish();
        if (!calls_) return {std::move(last), std::nullopt};  // moved from
        auto& seen = calls_->current;                         // whether the last call was looked at before
        return {std::move(last), std::move(seen ? seen->result_ : calls_->last)};
    }

private:
    std::unique_ptr<detail::calls<F>> calls_;
    attempts attempts_;
};

namespace detail {

/// These options as far as they have a meaning for calls.
template <class F> options for_calls(options&& o, const calls<F>& c) {
    o.terminate_if = {};
    o.before_attempt = {};
    o.after_attempt = {};
    o.replay = replay::always;
    if (o.retry_if)
        o.retry_if = [&c, asked = std::move(o.retry_if)](const attempt& a) { return !c.unrecoverable && asked(a); };
    return std::move(o);
}

}  // namespace detail

}  // namespace r2::inline v0_2

template <class F> inline constexpr bool std::ranges::enable_view<r2::retries<F>> = true;

template <class R> struct std::tuple_size<r2::trial<R>> : std::integral_constant<std::size_t, 2> {};
template <std::size_t I, class R> struct std::tuple_element<I, r2::trial<R>> {
    using type = decltype(std::declval<r2::trial<R>&>().template get<I>());
};
template <std::size_t I, class R> struct std::tuple_element<I, const r2::trial<R>> {
    using type = decltype(std::declval<const r2::trial<R>&>().template get<I>());
};
