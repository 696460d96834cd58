#pragma once

#include <algorithm>
#include <chrono>

#include "r2/shutdown.hpp"
#include "r2/signal_watch.hpp"

namespace r2::inline v0_2 {

R2_INLINE shutdown::shutdown(shutdown_options o) : options_(o) {}
R2_INLINE shutdown::~shutdown() = default;

R2_INLINE bool shutdown::request() noexcept {
    const time_point cut = detail::later(std::chrono::steady_clock::now(), std::max(options_.grace, duration{}));
    const time_point end = std::min(detail::later(cut, options_.cleanup), detail::never - duration(1));
    time_point before_the_stop = detail::never;
    end_.compare_exchange_strong(before_the_stop, end);
    return source_.request_stop();
}

R2_INLINE options shutdown::work(options policy) const {
    policy.stop = token();
    policy.stop_grace = options_.grace;
    return policy;
}

R2_INLINE options shutdown::cleanup(const options& policy) const {
    const duration limit = std::max(cleanup_left(), duration(1));
    const bool is_shorter = policy.deadline > duration{} && policy.deadline < limit;
    return policy.detached(is_shorter || options_.cleanup <= duration{} ? policy.deadline : limit);
}

R2_INLINE duration shutdown::cleanup_left() const noexcept {
    if (options_.cleanup <= duration{}) return duration::max();
    const time_point end = end_;
    if (end == detail::never) return options_.cleanup;
    return std::max(duration{}, duration(end - std::chrono::steady_clock::now()));
}

R2_INLINE error shutdown::on_signal(std::initializer_list<int> signals) {
    if (!signals_) signals_ = std::make_unique<detail::signal_watch>([this] { request(); });
    return signals_->add(signals);
}

}  // namespace r2::inline v0_2
