#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// Items in the order of their times; of equal times, the lower index comes first. An item has an `index` and a
/// `timer`.
template <class Item> class timer_queue {
    using entries = std::map<std::pair<time_point, std::size_t>, Item*>;

public:
    /// An item's entry, in one queue at a time. Allocated once and then moved: a new one for each attempt costs time.
    class timer {
        friend class timer_queue;
        typename entries::iterator place_ = {};   // while it is set
        typename entries::node_type entry_ = {};  // else, once it was
        bool is_set_ = false;
    };

    bool empty() const noexcept { return all_.empty(); }

    /// The earliest time; `never` if there is none.
    time_point next() const noexcept { return all_.empty() ? never : all_.begin()->first.first; }

    /// Takes the first item out. There must be one.
    Item& pop() noexcept {
        Item& first = *all_.begin()->second;
        cancel(first);
        return first;
    }

    /// Sets the item's timer, which must not be set already.
    void set(Item& item, time_point t) {
        timer& its = item.timer;
        if (its.entry_.empty()) {  // the hint: mostly it is the last to run out
            its.place_ = all_.emplace_hint(all_.end(), std::pair(t, item.index), &item);
        } else {
            its.entry_.key() = {t, item.index};
            its.place_ = all_.insert(all_.end(), std::move(its.entry_));
        }
        its.is_set_ = true;
    }

    /// Does nothing if the timer isn't set.
    void cancel(Item& item) noexcept {
        if (std::exchange(item.timer.is_set_, false)) item.timer.entry_ = all_.extract(item.timer.place_);
    }

private:
    entries all_;
};

}  // namespace r2::inline v0_2::detail
