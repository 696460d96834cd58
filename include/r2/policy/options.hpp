#pragma once

#include <chrono>
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
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

class client;

/// Whether a request that may have been processed is sent again.
enum class replay {
    always,     ///< Whenever `retry_if` is true.
    when_safe,  ///< Only if, in addition, no byte was sent, the method is idempotent, or the request has an
                ///< Idempotency-Key.
};

/// The options of a range. Zero or negative means "not set". Designated initialisers have to follow the order of the
/// fields.
struct options {
    /// Limits the attempts, the first one included. Not set: unlimited.
    int max_attempts = 0;

    /// Limits one attempt, redirects included, from name look-up to the last byte of the body. Not set: no limit.
    duration timeout = {};

    /// Waits this long between attempts, without jitter. Not set: `backoff` decides.
    duration interval = {};

    /// Limits the whole range, waits included, from the first pull. No attempt starts past it. Not set: no limit.
    duration deadline = {};

    /// Ends the range when true. Called for every attempt. Not set: a status below 400 ends the range.
    predicate terminate_if = {};

    /// Decides whether another attempt follows a status from 400 on or an error. Not set: `transient`.
    predicate retry_if = {};

    /// Computes the wait between attempts, before `jitter`.
    r2::backoff backoff = r2::backoff::exponential(std::chrono::seconds(2), 2.0, std::chrono::seconds(30));

    /// Spreads the waits of `backoff` at random.
    r2::jitter jitter = r2::jitter::full();

    /// Replaces `backoff` after a response that is `throttled`: an overloaded server needs longer waits. No effect with
    /// `jitter::decorrelated`. Not set: `backoff`.
    std::optional<r2::backoff> throttle_backoff = {};

    /// Decides whether and how long to wait as the server asks, in place of `interval` and `backoff` (RFC 9110,
    /// 10.2.3).
    retry_after_policy retry_after = {};

    /// Replaces the request's fields of the same names, and adds the others.
    r2::headers headers = {};

    /// The Content-Type, which wins over `headers`. Not sent with GET and HEAD. Not set: only a form has one.
    std::string content_type = {};

    /// Sent as Idempotency-Key, the same on every attempt. `fresh_key()` makes one. Not set: none.
    std::string idempotency_key = {};

    /// Whether a request that may have been processed is sent again.
    r2::replay replay = r2::replay::always;

    /// Called with each attempt's own copy of the request, as `(request&)` or `(request&, int number)`. It may change
    /// the request, and may return a `response` or `std::optional<response>` that is used without sending.
    detail::before_attempt_hook before_attempt = {};

    /// Called as `(const request&, attempt&)` with each outcome before the decision, also with that of a hedged copy.
    /// It may change the response.
    detail::after_attempt_hook after_attempt = {};

    /// Called as `(const request&, const attempt&)` after the decision, before the loop gets the attempt.
    detail::on_attempt_hook on_attempt = {};

    /// The stop ends waits and the attempt in flight within about a millisecond. May be requested from any thread. Not
    /// set: never stops.
    std::stop_token stop = {};

    /// Lets the attempt in flight go on this long after a stop. Not set: it is cut at once.
    duration stop_grace = {};

    /// Asked before each attempt, in order. The longest wait counts. Null pointers are skipped.
    std::vector<std::shared_ptr<guard>> guards = {};

    /// Sends copies of a slow request. Not set: none.
    hedge_policy hedge = {};

    /// Limits the bytes of the decoded body; more is `errc::too_large`. Not set: 100 MiB.
    std::size_t max_body = 0;

    /// Limits the redirects that one attempt follows. Zero or negative: a redirect is the response.
    int max_redirects = 10;

    /// Sends through this client, which has to live until the verb returns. Not set: the process-wide default client.
    const client* via = nullptr;

    /// Returns the policy of the AWS SDKs of 2026: 3 attempts, waits of up to 50 ms · 2ⁿ (1 s · 2ⁿ if `throttled`) and
    /// at most 20 s, retries of `transient` or `throttled`, and a `retry_budget::aws()` that all copies share.
    static options aws();

    /// Returns a copy with this deadline, and without `stop` and `stop_grace`: for clean-up after a stop.
    options detached(duration own_deadline) const {
        options o = *this;
        o.stop = {};
        o.stop_grace = {};
        o.deadline = own_deadline;
        return o;
    }
};

namespace detail {

/// Applies the options that change the request.
inline void put_over(request& q, const options& o) {
    for (const auto& field : o.headers) q.headers.erase(field.name);
    for (const auto& [name, value] : o.headers) q.headers.add(name, value);
    if (!o.idempotency_key.empty()) q.headers.set("Idempotency-Key", o.idempotency_key);
    if (!o.content_type.empty() && q.method != "GET" && q.method != "HEAD")
        q.headers.set("Content-Type", o.content_type);
}

}  // namespace detail

}  // namespace r2::inline v0_2
