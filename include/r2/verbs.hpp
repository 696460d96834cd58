#pragma once

#include <concepts>
#include <string>
#include <utility>

#include "r2/client.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// Returns `options::via`, or the process-wide client. That client is never destroyed, so ranges may run during static
/// destruction.
const client& client_of(const options& o);

}  // namespace detail

// The verbs send through `options::via`, or through the process-wide client. A verb returns at once; its range sends
// when it is pulled.

attempts get(std::string url, options o = {});
attempts head(std::string url, options o = {});
attempts post(std::string url, body b, options o = {});
attempts put(std::string url, body b, options o = {});
attempts patch(std::string url, body b, options o = {});
attempts del(std::string url, options o = {});

/// Sends a body. In `del(url, {})` the braces are options.
template <std::convertible_to<body> B> attempts del(std::string url, B&& b, options o = {}) {
    const client& c = detail::client_of(o);
    return c.del(std::move(url), std::forward<B>(b), std::move(o));
}

/// Sends the fields as application/x-www-form-urlencoded, in their order, a space as '+'.
attempts post_form(std::string url, const form& fields, options o = {});

/// Sends a request of any method. `options::headers`, `idempotency_key` and `content_type` replace its fields of the
/// same names.
attempts send(request q, options o = {});

/// Calls `f` until a call succeeds or a rule of the loop ends the range. Binds as the verbs do:
///
///     for (auto&& [value, err] : r2::retry([&] { return iam.delete_role(role); }, o))
///
/// A call fails if it throws, or returns a std::expected (or a type like it) without a value. `err.exception()` has the
/// exception or the expected's error; an error_code is `err.code()`, a text is in `err.message()`. Any other result is
/// a success and ends the range. `unrecoverable` is never retried. Other failures are retried if `retry_if` is true;
/// not set: unless they are an `r2::error` that isn't transient.
///
/// A running call is never cut: a stop, a deadline and a grace end only waits. Ignores timeout, terminate_if,
/// retry_after, headers, content_type, idempotency_key, replay, before_attempt, after_attempt, max_body, max_redirects,
/// throttle_backoff and hedge. Guards and `on_attempt` get an empty request, and a response with status 200 for a
/// success.
template <std::invocable F> retries<F> retry(F f, options o = {}) {
    const client& c = detail::client_of(o);
    return c.retry(std::move(f), std::move(o));
}

/// Sends many requests on this thread, and yields their attempts in the order in which they end:
///
///     for (auto&& [job, res, err] : r2::all(urls, {.max_attempts = 5}, {.max_in_flight = 100}))
///
/// Takes a range of URLs, of `request`s, or of pairs of either and `options`. Reads it lazily: when there is room for a
/// request, and at most 1,000 ahead while their hosts have no room. An lvalue range must outlive the loop. Hosts take
/// turns.
///
/// `deadline` limits all requests together, from the first pull. A pair's `deadline`, `stop` and `stop_grace` are
/// ignored. Each request that was read gets one attempt with `is_last()`. Its error is `errc::stopped` or
/// `errc::timeout` if the stop or the deadline came before it was sent or sent again.
template <detail::requests R> all_attempts all(R&& requests, options o = {}, concurrency c = {}) {
    const client& via = detail::client_of(o);
    return via.all(std::forward<R>(requests), std::move(o), c);
}

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/verbs.ipp"
#endif
