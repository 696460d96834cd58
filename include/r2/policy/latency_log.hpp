#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <vector>

#include "r2/policy/by_origin.hpp"
#include "r2/policy/hedge.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// The durations of a client's newest responses, by origin. Thread-safe.
class latency_log {
public:
    latency_log() : newest_(scope::origin, ring()) {}

    void add(const request& q, duration took) {
        const std::lock_guard lock(mutex_);
        ring& of = newest_.of(q);
        if (of.samples.size() < kept)
            of.samples.push_back(took);
        else
            of.samples[of.oldest++ % kept] = took;
    }

    /// Returns the percentile of the samples (nearest rank), or its fallback.
    duration at(const request& q, const percentile& p) {
        const std::lock_guard lock(mutex_);
        sorted_ = newest_.of(q).samples;
        if (sorted_.empty() || static_cast<int>(sorted_.size()) < std::min(p.min_samples, static_cast<int>(kept)))
            return p.fallback;
        const auto size = static_cast<double>(sorted_.size());
        const double rank =
            std::min(std::max(1.0, std::ceil(p.share * size)), size);  // in this order, so that NaN is 1
        const auto nth = sorted_.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
        std::nth_element(sorted_.begin(), nth, sorted_.end());
        return *nth;
    }

private:
    static constexpr std::size_t kept = 256;

    struct ring {
        std::vector<duration> samples = {};
        std::size_t oldest = 0;
    };

    std::mutex mutex_;
    by_origin<ring> newest_;
    std::vector<duration> sorted_;
};

}  // namespace r2::inline v0_2::detail
