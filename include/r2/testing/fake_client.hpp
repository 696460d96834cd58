#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "r2/client.hpp"
#include "r2/config.hpp"
#include "r2/testing/virtual_time.hpp"
#include "r2/words/outcome.hpp"

namespace r2::inline v0_2::testing {

namespace detail {

struct world;

}  // namespace detail

/// A client without a network, on virtual time: only waiting moves its clock. So tests of loops take no time, and their
/// waits are exact.
///
///     r2::testing::fake_client fake;
///     fake.reply(503).reply({.status = 429, .headers = {{"Retry-After", "7"}}}).fail(r2::errc::timeout).reply(200);
///     EXPECT_TRUE(fetch("http://job.test/", {.via = &fake}));
///     EXPECT_EQ(fake.waits(), (std::vector<r2::duration>{1s, 7s, 4s}));
///
/// Give it to the code under test as `options::via` or as a `client`. Each request takes the next step of the script,
/// in the order of sending. A request without a step throws std::logic_error with its name, out of the loop. A step's
/// outcome reaches the loop as it is: no redirect is followed, nothing is decoded, no file is read; but a body over
/// `max_body` is `errc::too_large`. For one thread, but stops may come from others. A copy is the same client.
class fake_client : public client {
public:
    fake_client();

    // The script, one step after the other.

    fake_client& reply(int status, std::string body = {}) { return reply_after({}, status, std::move(body)); }
    fake_client& reply(response res) { return reply_after({}, std::move(res)); }

    /// A response that takes this long. An attempt with a shorter `timeout` doesn't get it.
    fake_client& reply_after(duration d, int status, std::string body = {}) {
        return reply_after(d, {.status = status, .body = std::move(body)});
    }
    fake_client& reply_after(duration d, response res) { return add(d, std::move(res)); }

    /// The result of a callable on `(const request&)`: a response, a status, an errc or an error. Called when the
    /// request is sent. An exception reaches the loop.
    template <std::invocable<const request&> F> fake_client& reply_with(F f) {
        return add([f = std::move(f)](const request& q) mutable -> outcome { return f(q); }, {});
    }

    /// Fails at once. `sent()` is the usual one of such an error: `maybe` for a timeout, `no` for `errc::connect`.
    fake_client& fail(errc kind) { return fail_after({}, kind); }
    fake_client& fail(error err) { return fail_after({}, std::move(err)); }

    fake_client& fail_after(duration d, errc kind) { return add(d, kind); }
    fake_client& fail_after(duration d, error err) { return add(d, std::move(err)); }

    /// Hangs until a timeout, a deadline or a stop ends the attempt. `sent::no` hangs before anything was sent.
    fake_client& hang(sent s = sent::maybe) { return add(duration::max(), error(errc::local, "hangs", s)); }

    /// Repeats the step before, `n` times in all. 0 removes it.
    fake_client& times(std::size_t n);

    /// Repeats the step before for all later requests.
    fake_client& forever();

    // Time and chance.

    /// Moves the clock, as a loop's body does that takes time.
    void advance(duration d);

    /// Calls `f` at this time since `beginning`.
    void at(duration since_beginning, std::function<void()> f);

    /// Requests a stop at this time since `beginning`.
    void stop_at(duration since_beginning, std::stop_source source);

    /// Sets the random number of every jitter, in [0, 1). Unless set: 0.5, so that `jitter::full()` waits half of the
    /// backoff's delay.
    fake_client& chance(double u);

    /// Spreads jitter at random. The same number gives the same waits.
    fake_client& seed(std::uint64_t n);

    // The record.

    /// Returns all requests that were sent, or whose sending failed, in order.
    const std::vector<request>& requests() const noexcept;

    /// Returns the length of each sleep, in order. A sleep that a stop ends counts up to the stop. A wait of 0 is no
    /// sleep.
    const std::vector<duration>& waits() const noexcept;

    /// Returns the time since `beginning`.
    duration now() const noexcept;

    /// Where its clocks begin: the steady one that guards see, and the calendar for dates in a Retry-After.
    static constexpr time_point beginning = detail::virtual_beginning;
    static constexpr wall_time wall_beginning = detail::virtual_wall_beginning;

    /// Counts the steps that no request took. A step `forever` counts as 1 until the first request takes it.
    std::size_t unused() const noexcept;

private:
    explicit fake_client(std::shared_ptr<detail::world> w);

    fake_client& add(duration after, outcome what);
    fake_client& add(std::function<outcome(const request&)> outcome_of, duration after);

    std::shared_ptr<detail::world> world_;
};

}  // namespace r2::inline v0_2::testing

#ifndef R2_COMPILED
#include "r2/testing/fake_client.ipp"
#endif
