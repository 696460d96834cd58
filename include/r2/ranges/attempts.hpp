#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "r2/execution/history.hpp"
#include "r2/policy/options.hpp"
#include "r2/transport/transport_pool.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// What a range is made of; on the heap, since a coroutine moves its parameters about.
struct job {
    std::shared_ptr<transport_pool> pool;
    r2::request request;
    r2::options options;
    std::function<attempt()> call = {};   // in place of sending: that of `retry`
    std::optional<attempt> current = {};  // where each attempt is made, and the loop's variable refers to
    detail::history history = {};
};

}  // namespace detail

/// The attempts of one request: a single-pass range of `attempt&` that sends as it is pulled.
///
/// Comparing its iterator to the end, or dereferencing it, pulls: that waits, sends once, and blocks until the outcome
/// is there. `++` only marks that the next one is wanted. Exceptions of the user's own callables come out of the pull.
class [[nodiscard("a range that is not pulled sends nothing: loop over it, or call finish()")]] attempts {
public:
    class promise_type;

    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = attempt;
        using difference_type = std::ptrdiff_t;

        iterator() = default;

        attempt& operator*() const;
        attempt* operator->() const { return &**this; }
        iterator& operator++();
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t) { return i.at_end(); }

    private:
        friend class attempts;
        explicit iterator(promise_type* p) noexcept : promise_(p) {}

        // Not in the operator: g++ 12 gives a nested class's friend no access to the privates of the outer one's
        // friends.
        bool at_end() const;

        promise_type* promise_ = nullptr;
    };

    /// What the coroutine behind the range leaves for its iterators.
    class promise_type {
    public:
        explicit promise_type(const std::unique_ptr<detail::job>& j) noexcept : job_(*j) {}

        attempts get_return_object() { return attempts(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }

        std::suspend_always yield_value(ended so_far) noexcept {
            ended_ = so_far;
            return {};
        }
        void return_value(ended why) noexcept { ended_ = why; }
        void unhandled_exception() noexcept {
            ended_ = ended::threw;
            thrown_ = std::current_exception();
        }

    private:
        friend class attempts;
        friend class iterator;

        void pull() {
            const auto self = std::coroutine_handle<promise_type>::from_promise(*this);
            if (!std::exchange(marked_, false) || self.done()) return;
            self.resume();
            if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
        }
        bool at_end() {
            pull();
            return std::coroutine_handle<promise_type>::from_promise(*this).done();
        }

        std::optional<attempt>& current() noexcept { return job_.current; }

        detail::job& job_;  // a parameter, and so destroyed after this
        r2::ended ended_ = r2::ended::not_yet;
        std::exception_ptr thrown_;
        bool marked_ = true;
    };

    attempts(attempts && other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    attempts& operator=(attempts&& other) noexcept {
        attempts mine(std::move(other));
        std::swap(coroutine_, mine.coroutine_);
        return *this;
    }
    ~attempts() {
        if (coroutine_) coroutine_.destroy();
    }

    /// At the current attempt: after a `break`, that is the one which was broken off at. Sends nothing.
    iterator begin() noexcept { return iterator(coroutine_ ? &coroutine_.promise() : nullptr); }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// Why it ended; known from the last attempt on.
    r2::ended ended() const noexcept { return coroutine_ ? coroutine_.promise().ended_ : r2::ended::not_yet; }

    /// Makes all the attempts that are left, and returns the last one, moved out of the range. Blocks, waits included.
    /// A stop or a deadline that came during the wait after that attempt is told here: in its `ended()`.
    attempt finish();

    /// What happened, in one line: "3 attempts in 4.2s: 503, 503, timeout after 1s; gave up: exhausted". The time runs
    /// from the first pull, waits included; the end has the name of its `ended`. Bounded, and holds no secrets. At any
    /// time.
    std::string summary() const {
        return coroutine_ ? coroutine_.promise().job_.history.told(ended())
                          : detail::history().told(r2::ended::not_yet);
    }

private:
    explicit attempts(std::coroutine_handle<promise_type> c) noexcept : coroutine_(c) {}

    std::coroutine_handle<promise_type> coroutine_;
};

inline attempt& attempts::iterator::operator*() const {
    promise_->pull();
    return *promise_->current();
}

inline attempts::iterator& attempts::iterator::operator++() {
    promise_->pull();
    promise_->marked_ = true;
    return *this;
}

inline bool attempts::iterator::at_end() const { return !promise_ || promise_->at_end(); }

inline attempt attempts::finish() {
    if (!coroutine_) return attempt(error(errc::invalid_request, "the range was moved from"));
    promise_type& p = coroutine_.promise();
    while (!p.at_end()) p.marked_ = true;
    if (!p.current()) p.current().emplace(error(errc::local, "a callable threw before the first attempt was over"));
    if (!p.current()->is_last()) p.current()->end(p.ended_);
    return std::move(*p.current());
}

}  // namespace r2::inline v0_2

// <string_view> declares this as <ranges> does, which takes much longer to compile.
template <> inline constexpr bool std::ranges::enable_view<r2::attempts> = true;
