#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "r2/words/attempt.hpp"

namespace r2::inline v0_2::detail {

/// How many requests ended for each reason.
class ended_counts {
public:
    void add(ended why) {
        const auto place = std::lower_bound(all_.begin(), all_.end(), why,
                                            [](const entry& e, ended sought) { return e.why < sought; });
        if (place != all_.end() && place->why == why)
            ++place->count;
        else
            all_.insert(place, {why, 1});
    }

    std::size_t of(ended why) const noexcept {
        for (const entry& e : all_)
            if (e.why == why) return e.count;
        return 0;
    }

    /// "condition_met 2, exhausted 1", in the order of the enumerators; empty while there are none.
    std::string text() const {
        std::string all;
        for (const entry& e : all_) {
            if (!all.empty()) all += ", ";
            all.append(to_string(e.why)) += ' ' + std::to_string(e.count);
        }
        return all;
    }

private:
    struct entry {
        ended why;
        std::size_t count;
    };

    std::vector<entry> all_;  // sorted
};

}  // namespace r2::inline v0_2::detail
