#pragma once

#include "r2/policy/options.hpp"
#include "r2/policy/predicates.hpp"
#include "r2/words/attempt.hpp"

namespace r2::inline v0_2::detail {

/// The result of the predicates on an outcome: all that rules 1 to 4 need.
enum class classification {
    stopped,    ///< Rule 1: the stop cut it.
    met,        ///< Rule 2: `terminate_if` holds.
    succeeded,  ///< Rule 3: a status below 400, and no `terminate_if`.
    unmet,      ///< Rule 3: a status below 400 for which `terminate_if` doesn't hold: polling goes on.
    permanent,  ///< Rule 4: a failure for which `retry_if` doesn't hold.
    retryable,  ///< Rule 4: a failure for which it holds.
};

/// Asks the predicates, each at most once and only where its rule is reached. Nothing else in r2 asks them.
inline classification classify(const options& o, const attempt& a, bool cut_by_stop) {
    if (cut_by_stop) return classification::stopped;
    if (o.terminate_if(a)) return classification::met;
    if (is_success(a)) return o.terminate_if ? classification::unmet : classification::succeeded;
    const bool again = o.retry_if ? o.retry_if(a) : transient(a);
    return again ? classification::retryable : classification::permanent;
}

}  // namespace r2::inline v0_2::detail
