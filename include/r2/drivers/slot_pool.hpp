#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "r2/drivers/slot.hpp"

namespace r2::inline v0_2::detail {

/// The slots of a scheduler. Keeps a few that are done for the next requests. A slot never moves.
class slot_pool {
public:
    explicit slot_pool(std::size_t most_spare) : most_spare_(most_spare) {}

    /// Returns a spare slot, or a new one.
    slot& take() {
        if (spare_.empty()) {
            spare_.reserve(most_spare_);
            all_.push_back(std::make_unique<slot>());
            all_.back()->place = all_.size() - 1;
            return *all_.back();
        }
        slot& s = *spare_.back();
        spare_.pop_back();
        return s;
    }

    /// Takes back a slot whose request is done.
    void give_back(slot& s) {
        if (spare_.size() < most_spare_) {
            s.empty();
            spare_.push_back(&s);
            return;
        }
        const std::size_t place = s.place;
        std::swap(all_[place], all_.back());
        all_[place]->place = place;
        all_.pop_back();
    }

    template <class F> void for_each_in_flight(F f) {
        for (const auto& s : all_)
            if (s->execution && s->execution->in_flight()) f(*s);
    }

    void clear() {
        spare_.clear();
        all_.clear();
    }

private:
    const std::size_t most_spare_;
    std::vector<std::unique_ptr<slot>> all_;
    std::vector<slot*> spare_;
};

}  // namespace r2::inline v0_2::detail
