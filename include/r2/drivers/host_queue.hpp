#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/config.hpp"

namespace r2::inline v0_2::detail {

/// Queues items that are ready to start, first in, first out for each host (scheme, name and port); hosts take turns.
/// Counts the items under way, so that no host exceeds its limit. An item has a `next_in_line`, for this queue alone.
template <class Item> class host_queue {
public:
    /// Exists while an item stands in line or is under way there.
    struct host {
        std::string_view name = {};
        Item* first = nullptr;
        Item* last = nullptr;
        std::size_t under_way = 0;
        host* next_turn = nullptr;
        bool has_turn = false;
    };

    explicit host_queue(std::size_t most_per_host) : most_per_host_(most_per_host) {}
    host_queue(host_queue&&) = delete;

    /// Puts an item at the end of its host's line.
    void push(Item& item, std::string_view name) {
        auto place = hosts_.find(name);
        if (place == hosts_.end()) {
            place = hosts_.emplace(name, host()).first;
            place->second.name = place->first;
        }
        host& h = place->second;
        item.next_in_line = nullptr;
        if (h.first)
            h.last->next_in_line = &item;
        else
            h.first = &item;
        h.last = &item;
        ++size_;
        offer_turn(h);
    }

    /// Whether an item may start.
    bool can_start() const noexcept { return first_turn_ != nullptr; }

    /// Takes the next item out of its line. It is under way until `finished` is called with its host.
    std::pair<Item*, host*> start() {
        host& h = *first_turn_;
        first_turn_ = h.next_turn;
        h.has_turn = false;
        Item* const item = h.first;
        h.first = item->next_in_line;
        --size_;
        ++h.under_way;
        ++under_way_;
        offer_turn(h);
        return {item, &h};
    }

    /// One item less is under way at this host.
    void finished(host& h) {
        --h.under_way;
        --under_way_;
        offer_turn(h);
        if (h.under_way == 0 && !h.first) hosts_.erase(hosts_.find(h.name));
    }

    /// Empties all lines, and returns the items.
    std::vector<Item*> clear() {
        std::vector<Item*> items;
        for (auto place = hosts_.begin(); place != hosts_.end();) {
            host& h = place->second;
            for (; h.first; h.first = h.first->next_in_line) items.push_back(h.first);
            h.has_turn = false;
            place = h.under_way == 0 ? hosts_.erase(place) : std::next(place);
        }
        first_turn_ = nullptr;
        size_ = 0;
        return items;
    }

    /// Items in line.
    std::size_t size() const noexcept { return size_; }

    /// Items under way, at all hosts together.
    std::size_t under_way() const noexcept { return under_way_; }

private:
    void offer_turn(host& h) noexcept {
        if (h.has_turn || !h.first || h.under_way >= most_per_host_) return;
        h.has_turn = true;
        h.next_turn = nullptr;
        if (first_turn_)
            last_turn_->next_turn = &h;
        else
            first_turn_ = &h;
        last_turn_ = &h;
    }

    const std::size_t most_per_host_;
    std::map<std::string, host, std::less<>> hosts_;
    host* first_turn_ = nullptr;  // the hosts where an item may start
    host* last_turn_ = nullptr;
    std::size_t size_ = 0;
    std::size_t under_way_ = 0;
};

}  // namespace r2::inline v0_2::detail
