#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <utility>

#include "r2/drivers/source.hpp"

namespace r2::inline v0_2::detail {

/// A C++20 coroutine that yields references and runs only when it is pulled.
template <class Element> class generator {
public:
    class promise_type;
    using handle = std::coroutine_handle<promise_type>;

    class promise_type {
    public:
        generator get_return_object() noexcept { return generator(handle::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(Element* next) noexcept {
            current_ = next;
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

        /// Marks that the next element is wanted. Sends nothing.
        void mark() noexcept { marked_ = true; }

        /// Returns the wanted element, or null at the end. Blocks until it is made.
        Element* at() {
            const handle self = handle::from_promise(*this);
            if (!std::exchange(marked_, false) || self.done()) return current_;
            current_ = nullptr;  // at the end, and for whatever the source throws
            self.resume();
            if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
            return current_;
        }

    private:
        Element* current_ = nullptr;
        std::exception_ptr thrown_;
        bool marked_ = true;
    };

    generator(generator&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    generator& operator=(generator&& other) noexcept {
        generator mine(std::move(other));
        std::swap(coroutine_, mine.coroutine_);
        return *this;
    }
    ~generator() {
        if (coroutine_) coroutine_.destroy();
    }

    /// Null if it was moved from.
    promise_type* promise() const noexcept { return coroutine_ ? &coroutine_.promise() : nullptr; }

private:
    explicit generator(handle coroutine) noexcept : coroutine_(coroutine) {}

    handle coroutine_;
};

/// The loop behind every range.
template <class Element> generator<Element> elements_of(source<Element>& from) {
    while (Element* const next = from.next()) co_yield next;
}

/// The protocol of pulling that `attempts`, `all_attempts` and `retries` share: a single-pass range. Comparing an
/// iterator with the end, or dereferencing it, pulls: that blocks until the element is made. `++` only marks that the
/// next one is wanted.
template <class Source, class Element> class pulled_range {
    using promise = typename generator<Element>::promise_type;

public:
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = Element;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        explicit iterator(promise* p) noexcept : promise_(p) {}

        Element& operator*() const { return *promise_->at(); }
        Element* operator->() const { return promise_->at(); }
        iterator& operator++() {
            promise_->at();  // pulls first, if that wasn't done yet
            promise_->mark();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t) { return !i.promise_ || !i.promise_->at(); }

    private:
        promise* promise_ = nullptr;
    };

    /// At the current element: after a `break`, the one at which the loop broke off. Sends nothing.
    iterator begin() noexcept { return iterator(coroutine_.promise()); }
    std::default_sentinel_t end() const noexcept { return {}; }

protected:
    explicit pulled_range(std::unique_ptr<Source> source)
        : source_(std::move(source)), coroutine_(elements_of<Element>(*source_)) {}

    /// Null if the range was moved from.
    Source* source() const noexcept { return source_.get(); }

    /// Pulls all elements that are left.
    void run_to_end() {
        for (auto i = begin(); i != end();) ++i;
    }

private:
    std::unique_ptr<Source> source_;
    generator<Element> coroutine_;  // refers to the source
};

}  // namespace r2::inline v0_2::detail
