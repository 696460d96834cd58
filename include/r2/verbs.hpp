#pragma once

#include <concepts>
#include <string>
#include <utility>

#include "r2/client.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// `options::via`, or else the process-wide client. Never destroyed, so that ranges may run until the very end.
const client& client_of(const options& o);

}  // namespace detail

// The verbs, through `options::via` or else the process-wide client. Each returns at once; the range sends when it is
// pulled.

attempts get(std::string url, options o = {});
attempts head(std::string url, options o = {});
attempts post(std::string url, body b, options o = {});
attempts put(std::string url, body b, options o = {});
attempts patch(std::string url, body b, options o = {});
attempts del(std::string url, options o = {});

/// With a body. A template, so that `del(url, {})` means the options.
template <std::convertible_to<body> B> attempts del(std::string url, B&& b, options o = {}) {
    const client& c = detail::client_of(o);
    return c.del(std::move(url), std::forward<B>(b), std::move(o));
}

/// Sends the fields as application/x-www-form-urlencoded, in their order, a space as '+'.
attempts post_form(std::string url, const form& fields, options o = {});

/// Any method.
attempts send(request q, options o = {});

/// Calls anything as a verb sends: `for (auto&& [value, err] : r2::retry([&] { return iam.delete_role(role); }, o))`.
///
/// A call fails with what it throws, which is `err.exception()`, or where it returns something like a std::expected
/// without a value, whose error is `err.exception()` too, where it isn't an error_code (`err.code()`) or a text
/// (`err.message()`); all else is a success and ends the range. A failure is retried unless it is `unrecoverable`, or
/// an `r2::error` that isn't transient, or `retry_if` says no. The callable is never cut: a stop, a deadline and a
/// grace end the waits. Of the options, those are ignored that only HTTP can use: timeout, terminate_if, retry_after,
/// headers, content_type, idempotency_key, replay, before_attempt, after_attempt, max_body, max_redirects,
/// throttle_backoff, hedge. Guards and `on_attempt` are shown an empty request, and a success as a 200.
template <std::invocable F> retries<F> retry(F f, options o = {}) {
    const client& c = detail::client_of(o);
    return c.retry(std::move(f), std::move(o));
}

/// Sends many requests on this thread, as many at once as `c` says, and yields the attempts of all in the order in
/// which they are over: `for (auto&& [job, res, err] : r2::all(urls, {.max_attempts = 5}, {.max_in_flight = 100}))`.
///
/// Takes any range of URLs, of `request`s, or of pairs of either and `options`, and reads it lazily: as there is room,
/// and up to 1,000 further where a host has none. A range that isn't moved in has to live as long as the loop. Hosts
/// take turns. `deadline` is that of the whole, from the first pull; it, `stop` and `stop_grace` are not taken from the
/// options of a pair. Of each request that was read there is one attempt with `is_last()`: with `errc::stopped` or
/// `errc::timeout` where the stop or the deadline came before it was sent (again).
template <detail::requests R> all_attempts all(R&& requests, options o = {}, concurrency c = {}) {
    const client& via = detail::client_of(o);
    return via.all(std::forward<R>(requests), std::move(o), c);
}

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/verbs.ipp"
#endif
