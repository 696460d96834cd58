#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <r2/r2.hpp>

namespace r2::property {

using namespace std::chrono_literals;
using r2::detail::later;
using r2::detail::never;

/// In the URL, the head and the bodies of each case: what no message may show.
inline constexpr std::string_view secret = "pA55";

/// The callable of the user that throws.
enum class thrower { nobody, before, after, on, terminate_if, retry_if, backoff, script, admit, record, body };

/// The exception of the user's callables, which the loop has to let through unchanged.
struct oops {
    std::uint64_t seed = 0;
    thrower who = thrower::nobody;
    int guard = 0;  ///< Which one, where a guard throws.

    friend bool operator==(const oops&, const oops&) = default;
};

/// How an answer says when to come back.
enum class asks { nothing, seconds, date, date_by_its_own_clock, milliseconds, malformed, past_date };

/// A step of the fake client's script.
struct step {
    int status = 200;  ///< 0: it fails.
    errc kind = {};
    r2::sent sent = r2::sent::no;
    duration after = {};  ///< duration::max(): it hangs.
    bool body = false;    ///< The secret is its body.
    property::asks asks = property::asks::nothing;
    duration wait = {};  ///< What it asks for, or the date, since the beginning.
    bool throws = false;
};

/// The side effect of one call of one of the user's callables.
enum class deed {
    nothing,
    advances,  ///< Takes its time.
    stops,
    throws,
    to_put,       ///< Of before_attempt: changes the method.
    adds_key,     ///< Of before_attempt: adds an Idempotency-Key.
    answers,      ///< Of before_attempt: answers with `status`.
    spoils_head,  ///< Of before_attempt: so that nothing can be sent.
    to_status,    ///< Of after_attempt: another status of the same response, if there is one.
    to_response,  ///< Of after_attempt: a response takes the outcome's place.
    to_error,     ///< Of after_attempt: a timeout does.
};

/// A callable: is it set, and at which attempt does it do what.
struct habit {
    bool set = false;
    int at = 0;  ///< 0: never.
    property::deed deed = deed::nothing;
    duration d = {};
    int status = 200;

    property::deed now(int number) const noexcept { return number == at ? deed : deed::nothing; }
};

enum class question { unset, always, never, is_200, is_4xx_or_5xx, is_timeout, from_4, no_response };

/// The forms in which a predicate may be asked.
enum class form_of { attempt, response, both };

struct asked {
    property::question question = question::unset;
    form_of form = form_of::attempt;
    bool negated = false;
    int throws_at = 0;
};

enum class answer { go, wait, refuse, throws };

struct guard_plan {
    bool null = false;
    bool looks_back = false;                       ///< Overrides admit_next and record_of, too.
    std::array<property::answer, 4> answers = {};  ///< In turn.
    duration wait = {};
    int record_throws_at = 0;
    int stops_at = 0;  ///< Requests the stop when it is asked for this attempt.
};

enum class consumer { runs, finishes, takes };
enum class leaving { stays, destroys, resumes, finishes, throws };

/// How the loop goes about the iterator, and what its body does at one of its turns.
struct consumer_plan {
    property::consumer kind = consumer::runs;
    int take = 0;
    int compares = 1;  ///< 0: dereferences the first attempt at once.
    int dereferences = 1;
    int skips = 0;  ///< Marks this attempt without a look at it.
    int at = 0;     ///< The turn of what follows; 0: before the first pull.
    duration advances = {};
    bool stops = false;
    bool moves_body = false;
    property::leaving leaving = leaving::stays;
};

enum class backoff_kind { exponential, linear, constant, none, custom };
enum class jitter_kind { none, full, equal, proportional, additive, decorrelated };

struct backoff_plan {
    backoff_kind kind = backoff_kind::none;
    duration first = {}, cap = {};
    int throws_at = -1;
};

inline constexpr std::array<std::string_view, 10> methods = {"GET",  "POST",    "PUT",   "DELETE", "PATCH",
                                                             "HEAD", "OPTIONS", "TRACE", "PURGE",  "get"};

/// One loop, whole: what is asked for, what the server does, who else meddles, and how its attempts are consumed.
struct loop_case {
    std::uint64_t seed = 0;
    int method = 0;
    int max_attempts = 0;
    duration timeout = {}, interval = {}, deadline = {};
    asked terminate_if, retry_if;
    backoff_plan backoff;
    std::optional<backoff_plan> throttle_backoff;
    jitter_kind jitter = jitter_kind::none;
    duration jitter_by = {}, jitter_cap = {};
    retry_after_policy retry_after;
    bool key = false;
    bool key_in_request = false;  ///< It comes as a header of the request's own.
    r2::replay replay = r2::replay::always;
    habit before, after, on;
    duration grace = {};
    std::size_t max_body = 0;
    int guards = 0;
    std::array<guard_plan, 2> guard_plans;
    int steps = 1;  ///< The last goes on for ever.
    std::array<step, 8> script;
    bool may_stop = false;
    std::optional<duration> stop_at;
    consumer_plan consumer;
    int hedge_copies = 0;
    duration hedge_after = {};
    bool hedge_unsafe = false;
};

/// Both sides take backoff and jitter as they are: their arithmetic has tests of its own, in policy/. `custom`'s waits
/// go up and down, so that each retry's is another.
inline duration custom_delay(int retry) { return 1s * ((retry * 5) % 7); }

inline r2::backoff plain_backoff(const backoff_plan& p) {
    switch (p.kind) {
        case backoff_kind::exponential:
            return r2::backoff::exponential(p.first, 2.0, p.cap);
        case backoff_kind::linear:
            return r2::backoff::linear(p.first, p.cap);
        case backoff_kind::constant:
            return r2::backoff::constant(p.first);
        default:
            return r2::backoff::none();
    }
}

inline r2::jitter jitter_of(const loop_case& c) {
    switch (c.jitter) {
        case jitter_kind::full:
            return r2::jitter::full();
        case jitter_kind::equal:
            return r2::jitter::equal();
        case jitter_kind::proportional:
            return r2::jitter::proportional(0.25);
        case jitter_kind::additive:
            return r2::jitter::additive(c.jitter_by);
        case jitter_kind::decorrelated:
            return r2::jitter::decorrelated(c.jitter_by, c.jitter_cap);
        default:
            return r2::jitter::none();
    }
}

}  // namespace r2::property
