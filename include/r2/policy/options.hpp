#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "r2/policy/backoff.hpp"
#include "r2/policy/guard.hpp"
#include "r2/policy/hedge.hpp"
#include "r2/policy/hooks.hpp"
#include "r2/policy/jitter.hpp"
#include "r2/policy/predicate.hpp"
#include "r2/policy/retry_after.hpp"
#include "r2/words/headers.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

class client;

/// Whether a request that may have been processed is sent again.
enum class replay {
    always,     ///< Whatever the request, if `retry_if` says so.
    when_safe,  ///< Only if none of it was sent, its method is idempotent, or it has an Idempotency-Key.
};

/// How a range goes about its attempts. Zero or negative means "not set" throughout. The order of fields is API: append
/// only.
struct options {
    /// Attempts, the first one included. Not set: unlimited.
    int max_attempts = 0;

    /// For one attempt, redirects included: from name look-up to the last byte of the body. Not set: none.
    duration timeout = {};

    /// A fixed wait between attempts, without jitter. Not set: `backoff` decides.
    duration interval = {};

    /// For the whole range, waits included, from the first pull. No attempt starts past it. Not set: none.
    duration deadline = {};

    /// Ends the range where it holds; asked on every attempt. Not set: a status below 400 ends it.
    predicate terminate_if = {};

    /// Whether a status from 400 on or an error is worth another attempt. Not set: `transient`.
    predicate retry_if = {};

    /// The wait between attempts, before `jitter`.
    r2::backoff backoff = r2::backoff::exponential(std::chrono::seconds(2), 2.0, std::chrono::seconds(30));

    /// How chance spreads the waits of `backoff`.
    r2::jitter jitter = r2::jitter::full();

    /// How far the server's Retry-After replaces `interval` and `backoff` (RFC 9110, 10.2.3).
    retry_after_policy retry_after = {};

    /// Put over the request's own: the same name replaces.
    r2::headers headers = {};

    /// Content-Type, set last; not with GET and HEAD. Not set: none, but for a form's.
    std::string content_type = {};

    /// Sent as Idempotency-Key, the same on every attempt; `fresh_key()` makes one. Not set: none.
    std::string idempotency_key = {};

    /// Whether a request that may have been processed is sent again.
    r2::replay replay = r2::replay::always;

    /// Called on each attempt's own copy of the request, to change it or to answer it without sending.
    before_attempt_hook before_attempt = {};

    /// Called with the outcome, which it may change, before anything is decided; with that of each hedged copy.
    after_attempt_hook after_attempt = {};

    /// Called with the attempt and its decision, before the loop sees it.
    on_attempt_hook on_attempt = {};

    /// Ends sleeps and the attempt in flight, from any thread, within a millisecond or so. Not set: never stops.
    std::stop_token stop = {};

    /// How long the attempt in flight may go on after a stop. Not set: it is cut at once.
    duration stop_grace = {};

    /// Asked before each attempt, in order; the longest wait counts. Null ones are skipped.
    std::vector<std::shared_ptr<guard>> guards = {};

    /// Bytes of decoded body; more is `errc::too_large`. Not set: 100 MiB.
    std::size_t max_body = 0;

    /// Redirects followed within one attempt. Zero or negative: a redirect is the response.
    int max_redirects = 10;

    /// Whose connections to use; has to live until the verb returns. Not set: the process-wide default client.
    const client* via = nullptr;

    /// In place of `backoff` after a response that is `throttled`: a server that is overrun needs more time than one
    /// that failed by chance. Without effect on `jitter::decorrelated`. Not set: `backoff`.
    std::optional<r2::backoff> throttle_backoff = {};

    /// Copies of a request that race its original, which may be slow. Not set: none.
    hedge_policy hedge = {};

    /// As the AWS SDKs of 2026 do: 3 attempts; waits of up to 50 ms · 2ⁿ, and 1 s · 2ⁿ where `throttled`, at most 20 s;
    /// `transient` or `throttled`; and `retry_budget::aws()`, which is shared by all copies of what this returns.
    static options aws();

    /// The same policy without the stop token and with this deadline: for clean-up that must run after a stop.
    options detached(duration own_deadline) const {
        options o = *this;
        o.stop = {};
        o.stop_grace = {};
        o.deadline = own_deadline;
        return o;
    }
};

namespace detail {

/// Puts what the options say of the request into it.
inline void put_over(request& q, const options& o) {
    o.headers.for_each([&](std::string_view name, std::string_view) { q.headers.erase(name); });
    o.headers.for_each([&](std::string_view name, std::string_view value) { q.headers.add(name, value); });
    if (!o.idempotency_key.empty()) q.headers.set("Idempotency-Key", o.idempotency_key);
    if (!o.content_type.empty() && q.method != "GET" && q.method != "HEAD")
        q.headers.set("Content-Type", o.content_type);
}

}  // namespace detail

}  // namespace r2::inline v0_2
