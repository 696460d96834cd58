#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "r2/execution/history.hpp"
#include "r2/policy/options.hpp"
#include "r2/ranges/job_attempt.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2 {

/// How many of the requests of `all` may be in flight at once, hedged ones once each. Zero or negative: no limit.
struct concurrency {
    int max_in_flight = 256;
    int max_per_host = 32;  ///< Of one scheme, host and port.
};

/// How far an `all` has come.
struct progress {
    std::size_t read = 0;       ///< Requests taken from their range so far.
    std::size_t in_flight = 0;  ///< Of these, attempts that are being made.
    std::size_t waiting = 0;    ///< Of these, waiting for their time or their turn.
    std::size_t done = 0;       ///< Of these, whose last attempt was yielded.
    std::size_t attempts = 0;   ///< Yielded.
    bool all_read = false;      ///< Whether there are no more to read.
};

namespace detail {

/// A request as it was read, with options of its own or those of all.
struct new_job {
    r2::request request;
    std::optional<r2::options> own = {};
};

/// Reads one after the other; nothing at the end.
using job_source = std::function<std::optional<new_job>()>;

template <class E>
concept url_or_request = std::convertible_to<E, request> || std::convertible_to<E, std::string>;

template <class E>
concept with_options = requires(E&& e) {
    { std::forward<E>(e).first } -> url_or_request;
    { std::forward<E>(e).second } -> std::convertible_to<options>;
};

template <class E> request request_of(E&& e) {
    if constexpr (std::convertible_to<E, request>)
        return std::forward<E>(e);
    else
        return {.url = std::string(std::forward<E>(e))};
}

template <class E> new_job new_job_of(E&& e) {
    if constexpr (with_options<E>)
        return {request_of(std::forward<E>(e).first), std::forward<E>(e).second};
    else
        return {request_of(std::forward<E>(e))};
}

/// What `all` takes: a range of URLs, of requests, or of pairs of either and options.
template <class R>
concept requests = requires(R& r) {
    { std::begin(r) != std::end(r) } -> std::convertible_to<bool>;
    requires url_or_request<decltype(*std::begin(r))> || with_options<decltype(*std::begin(r))>;
};

/// A range whose elements are read as they are asked for, and no sooner.
template <class R> class job_reader {
public:
    explicit job_reader(R&& range) : range_(std::forward<R>(range)) {}

    std::optional<new_job> operator()() {
        if (next_)
            ++*next_;
        else
            next_.emplace(std::begin(range_));
        if (!(*next_ != std::end(range_))) return std::nullopt;
        return new_job_of(**next_);
    }

private:
    R range_;  // a reference to what was an lvalue
    std::optional<decltype(std::begin(std::declval<R&>()))> next_ = {};
};

/// What drives the attempts of many requests.
class many_attempts {
public:
    virtual ~many_attempts() = default;

    /// The next that is over; null at the end. Blocks.
    virtual job_attempt* pull() = 0;

    r2::progress so_far;
    std::array<std::size_t, 11> ends = {};  // by the numbers of `ended`
    duration elapsed = {};
};

}  // namespace detail

/// The attempts of many requests, in the order in which they are over: a single-pass range of `job_attempt&` that works
/// as it is pulled, on the thread that pulls it. Each request that was read has exactly one last attempt in it; only an
/// exception of the user's own callables, or of the range of requests, ends it sooner.
class [[nodiscard("a range that is not pulled sends nothing: loop over it")]] all_attempts {
public:
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = job_attempt;
        using difference_type = std::ptrdiff_t;

        iterator() = default;

        job_attempt& operator*() const { return *range_->at(); }
        job_attempt* operator->() const { return range_->at(); }
        iterator& operator++() {
            range_->at();
            range_->marked_ = true;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t) { return i.at_end(); }

    private:
        friend class all_attempts;
        explicit iterator(all_attempts* range) noexcept : range_(range) {}

        bool at_end() const { return !range_ || !range_->at(); }

        all_attempts* range_ = nullptr;
    };

    explicit all_attempts(std::unique_ptr<detail::many_attempts> many) noexcept : many_(std::move(many)) {}
    all_attempts(all_attempts &&) noexcept = default;
    all_attempts& operator=(all_attempts&&) noexcept = default;

    /// At the current attempt: after a `break`, that is the one which was broken off at. Sends nothing.
    iterator begin() noexcept { return iterator(this); }
    std::default_sentinel_t end() const noexcept { return {}; }

    r2::progress progress() const noexcept { return many_ ? many_->so_far : r2::progress(); }

    /// How many requests ended for this reason.
    std::size_t count(r2::ended why) const noexcept { return many_ ? many_->ends[static_cast<std::size_t>(why)] : 0; }

    /// What happened, in one line: "3 of 5 requests done in 4.2s, with 9 attempts: condition_met 2, exhausted 1".
    std::string summary() const {
        const r2::progress p = progress();
        std::string text = std::to_string(p.done) + " of " + std::to_string(p.read) + (p.all_read ? "" : " or more") +
                           " requests done in " + to_string(many_ ? detail::rounded(many_->elapsed) : duration{}) +
                           ", with " + std::to_string(p.attempts) + (p.attempts == 1 ? " attempt" : " attempts");
        bool first = true;
        for (std::size_t i = 0; many_ && i < many_->ends.size(); ++i) {
            if (many_->ends[i] == 0) continue;
            text += std::exchange(first, false) ? ": " : ", ";
            text.append(to_string(static_cast<r2::ended>(i))) += ' ' + std::to_string(many_->ends[i]);
        }
        return text;
    }

private:
    job_attempt* at() {
        if (!many_) return nullptr;
        if (std::exchange(marked_, false)) {
            current_ = nullptr;  // for what the pull may throw
            current_ = many_->pull();
        }
        return current_;
    }

    std::unique_ptr<detail::many_attempts> many_;
    job_attempt* current_ = nullptr;
    bool marked_ = true;
};

}  // namespace r2::inline v0_2

template <> inline constexpr bool std::ranges::enable_view<r2::all_attempts> = true;
