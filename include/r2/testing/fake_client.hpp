#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "r2/client.hpp"
#include "r2/testing/virtual_transport.hpp"
#include "r2/words/outcome.hpp"

namespace r2::inline v0_2::testing {

/// A client without a network, on a clock that only waiting moves: tests of loops take no time, and compare waits
/// exactly.
///
///     r2::testing::fake_client fake;
///     fake.reply(503).reply({.status = 429, .headers = {{"Retry-After", "7"}}}).fail(r2::errc::timeout).reply(200);
///     EXPECT_TRUE(fetch("http://job.test/", {.via = &fake}));
///     EXPECT_EQ(fake.waits(), (std::vector<r2::duration>{1s, 7s, 4s}));
///
/// The code under test gets it as `options::via`, or as a `client`. Each request takes the next step of the script, in
/// the order in which they are sent; one for which none is left throws a std::logic_error that names it, out of the
/// loop. What a step says is what the loop sees: redirects aren't followed, nothing is decoded, and no file is read;
/// but a body over `max_body` is `errc::too_large`. For one thread; only stops may come from others. A copy is the same
/// client.
class fake_client : public client {
public:
    fake_client() : fake_client(std::make_shared<detail::world>()) {}

    // The script, one step after the other.

    fake_client& reply(int status, std::string body = {}) { return reply_after({}, status, std::move(body)); }
    fake_client& reply(response res) { return reply_after({}, std::move(res)); }

    /// A response that takes this long; an attempt whose `timeout` is shorter doesn't get it.
    fake_client& reply_after(duration d, int status, std::string body = {}) {
        return reply_after(d, {.status = status, .body = std::move(body)});
    }
    fake_client& reply_after(duration d, response res) { return then(d, std::move(res)); }

    /// Whatever a callable on `(const request&)` returns: a response, a status, an errc or an error. It is called when
    /// the request is sent, and what it throws reaches the loop.
    template <std::invocable<const request&> F> fake_client& reply_with(F f) {
        return push({.answer = answer_of([f = std::move(f)](const request& q) mutable -> outcome { return f(q); })});
    }

    /// Fails at once; `sent()` is what it mostly is of such an error: `maybe` of a timeout, `no` of `errc::connect`.
    fake_client& fail(errc kind) { return fail_after({}, kind); }
    fake_client& fail(error err) { return fail_after({}, std::move(err)); }

    fake_client& fail_after(duration d, errc kind) { return then(d, kind); }
    fake_client& fail_after(duration d, error err) { return then(d, std::move(err)); }

    /// Never answers: a timeout, a deadline or a stop has to end it. `sent::no` hangs before anything was sent.
    fake_client& hang(sent s = sent::maybe) { return then(duration::max(), error(errc::local, "hangs", s)); }

    /// The step before, `n` times in all; 0 takes it out.
    fake_client& times(std::size_t n) {
        step_before("times").times = n;
        if (n == 0) world_->script.pop_back();
        return *this;
    }

    /// The step before, for all requests to come.
    fake_client& forever() {
        step_before("forever").forever = true;
        return *this;
    }

    // Time and chance.

    /// Moves the clock, as the body of a loop does that takes its time.
    void advance(duration d) { world_->pass_until(r2::detail::later(world_->now, d)); }

    /// Calls `f` when the clock comes to this time since the client was made.
    void at(duration since_beginning, std::function<void()> f) {
        world_->events.emplace(r2::detail::later(detail::world::beginning, since_beginning), std::move(f));
    }

    /// Requests a stop at this time since the client was made.
    void stop_at(duration since_beginning, std::stop_source source) {
        at(since_beginning, [source = std::move(source)]() mutable { source.request_stop(); });
    }

    /// What every jitter gets, in [0, 1); 0.5 unless set, so that `jitter::full()` waits half of backoff's delay.
    fake_client& chance(double u) {
        world_->chance = u;
        world_->luck.reset();
        return *this;
    }

    /// Spreads jitter as in real life, but the same way for the same number.
    fake_client& seed(std::uint64_t n) {
        world_->luck.emplace(n);
        return *this;
    }

    // What happened.

    /// Every request that was sent, or tried to be, in order.
    const std::vector<request>& requests() const noexcept { return world_->requests; }

    /// How long each sleep was, in order; one that a stop ended is as long as it was. Waits of 0 aren't slept.
    const std::vector<duration>& waits() const noexcept { return world_->waits; }

    /// The time since the client was made.
    duration now() const noexcept { return world_->elapsed(); }

    /// Where its clocks begin: the one that guards are told of, and the one that dates in Retry-After are compared to.
    static constexpr time_point beginning = detail::world::beginning;
    static constexpr wall_time wall_beginning = detail::world::wall_beginning;

    /// How many steps of the script no request took; one that goes on for ever counts until the first.
    std::size_t unused() const noexcept {
        std::size_t n = 0;
        for (const detail::step& each : world_->script) n += each.times;
        return n;
    }

private:
    explicit fake_client(std::shared_ptr<detail::world> w)
        : client(on_transports(), std::make_shared<detail::virtual_transport_pool>(w)), world_(std::move(w)) {}

    fake_client& then(duration after, outcome what) {
        return push({.answer = answer_of([what = std::move(what)](const request&) { return what; }), .after = after});
    }

    static std::shared_ptr<const std::function<outcome(const request&)>> answer_of(
        std::function<outcome(const request&)> f) {
        return std::make_shared<const std::function<outcome(const request&)>>(std::move(f));
    }

    fake_client& push(detail::step s) {
        if (!world_->script.empty() && world_->script.back().forever)
            throw std::logic_error("fake_client: a step after forever() is never taken");
        world_->script.push_back(std::move(s));
        return *this;
    }

    detail::step& step_before(const char* name) {
        if (world_->script.empty()) throw std::logic_error("fake_client: no step before " + std::string(name) + "()");
        return world_->script.back();
    }

    std::shared_ptr<detail::world> world_;
};

}  // namespace r2::inline v0_2::testing
