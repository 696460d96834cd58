#pragma once

#include <stdexcept>

#include "r2/testing/fake_client.hpp"
#include "r2/testing/virtual_transport.hpp"

namespace r2::inline v0_2::testing {

namespace detail {

inline step& step_before(world& w, const char* name) {
    if (w.script.empty()) throw std::logic_error("fake_client: no step before " + std::string(name) + "()");
    return w.script.back();
}

}  // namespace detail

R2_INLINE fake_client::fake_client() : fake_client(std::make_shared<detail::world>()) {}

R2_INLINE fake_client::fake_client(std::shared_ptr<detail::world> w)
    : client(on_transports(), std::make_shared<detail::virtual_transport_pool>(w)), world_(std::move(w)) {}

R2_INLINE fake_client& fake_client::times(std::size_t n) {
    detail::step_before(*world_, "times").times = n;
    if (n == 0) world_->script.pop_back();
    return *this;
}

R2_INLINE fake_client& fake_client::forever() {
    detail::step_before(*world_, "forever").forever = true;
    return *this;
}

R2_INLINE void fake_client::advance(duration d) { world_->pass_until(r2::detail::later(world_->now, d)); }

R2_INLINE void fake_client::at(duration since_beginning, std::function<void()> f) {
    world_->events.emplace(r2::detail::later(beginning, since_beginning), std::move(f));
}

R2_INLINE void fake_client::stop_at(duration since_beginning, std::stop_source source) {
    at(since_beginning, [source = std::move(source)]() mutable { source.request_stop(); });
}

R2_INLINE fake_client& fake_client::chance(double u) {
    world_->chance = u;
    world_->random.reset();
    return *this;
}

R2_INLINE fake_client& fake_client::seed(std::uint64_t n) {
    world_->random.emplace(n);
    return *this;
}

R2_INLINE const std::vector<request>& fake_client::requests() const noexcept { return world_->requests; }

R2_INLINE const std::vector<duration>& fake_client::waits() const noexcept { return world_->waits; }

R2_INLINE duration fake_client::now() const noexcept { return world_->elapsed(); }

R2_INLINE std::size_t fake_client::unused() const noexcept {
    std::size_t n = 0;
    for (const detail::step& each : world_->script) n += each.times;
    return n;
}

R2_INLINE fake_client& fake_client::add(duration after, outcome what) {
    return add([what = std::move(what)](const request&) { return what; }, after);
}

R2_INLINE fake_client& fake_client::add(std::function<outcome(const request&)> outcome_of, duration after) {
    if (!world_->script.empty() && world_->script.back().forever)
        throw std::logic_error("fake_client: a step after forever() is never taken");
    world_->script.push_back(
        {.outcome_of = std::make_shared<const std::function<outcome(const request&)>>(std::move(outcome_of)),
         .after = after});
    return *this;
}

}  // namespace r2::inline v0_2::testing
