#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "r2/machine/classification.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// An outcome, and its classification. On the heap, as moving an attempt costs more than an allocation.
struct classified_outcome {
    std::unique_ptr<attempt> outcome;
    detail::classification classification = {};
};

/// Of the failures of an attempt's copies, the one that counts if no copy does better: the one whose server asked for
/// the latest time, else the last.
class kept_failure {
public:
    /// `not_before` is the time that the server asked for; `time_point::min()`: none.
    void keep(classified_outcome&& latest, time_point not_before) {
        const bool may_pass = latest.classification == classification::retryable;
        if (kept_.outcome && !(may_pass && not_before >= not_before_)) return;
        kept_ = std::move(latest);
        not_before_ = not_before;
    }

    /// Whether its server asked for a time.
    bool waits() const noexcept { return not_before_ > time_point::min(); }

    classified_outcome take() noexcept { return std::move(kept_); }

private:
    classified_outcome kept_;
    time_point not_before_ = time_point::min();
};

}  // namespace r2::inline v0_2::detail
