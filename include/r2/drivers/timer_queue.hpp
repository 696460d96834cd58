#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Jobs by the time that each waits for; of equal times, the first read comes first. A job has an `index` and a
/// `timer`.
template <class J> class timer_queue {
    using entries = std::map<std::pair<time_point, std::size_t>, J*>;

public:
    /// A job's entry, in one queue at a time. Made once, and then moved: making one for each attempt costs time.
    class timer {
        friend class timer_queue;
        typename entries::iterator place_ = {};   // while it is set
        typename entries::node_type entry_ = {};  // else, once it was
        bool is_set_ = false;
    };

    bool empty() const noexcept { return all_.empty(); }

    /// When the first one is due; `never` where there is none.
    time_point next() const noexcept { return all_.empty() ? never : all_.begin()->first.first; }

    /// Takes out the first one, which there is.
    J& pop() noexcept {
        J& first = *all_.begin()->second;
        cancel(first);
        return first;
    }

    void set(J& j, time_point t) {
        timer& its = j.timer;
        if (its.entry_.empty()) {  // the hint: mostly it is the last to run out
            its.place_ = all_.emplace_hint(all_.end(), std::pair(t, j.index), &j);
        } else {
            its.entry_.key() = {t, j.index};
            its.place_ = all_.insert(all_.end(), std::move(its.entry_));
        }
        its.is_set_ = true;
    }

    /// Takes it out, if it is set.
    void cancel(J& j) noexcept {
        if (std::exchange(j.timer.is_set_, false)) j.timer.entry_ = all_.extract(j.timer.place_);
    }

private:
    entries all_;
};

}  // namespace r2::inline v0_2::detail
