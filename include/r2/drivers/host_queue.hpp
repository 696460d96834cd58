#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/config.hpp"

namespace r2::inline v0_2::detail {

/// Items that are ready to start, in a line for each host. Hosts take turns; at one host nobody overtakes. Counts the
/// items under way, so that no host has more of them than its share.
template <class Item> class host_queue {
public:
    /// Exists while an item stands in line or is under way there.
    struct host {
        std::string_view name = {};
        std::deque<Item*> line = {};
        std::size_t under_way = 0;
        bool has_turn = false;
    };

    explicit host_queue(std::size_t most_per_host) : most_per_host_(most_per_host) {}

    /// Puts an item at the end of its host's line.
    void push(Item& item, std::string_view name) {
        auto place = hosts_.find(name);
        if (place == hosts_.end()) {
            place = hosts_.emplace(name, host()).first;
            place->second.name = place->first;
        }
        place->second.line.push_back(&item);
        ++size_;
        offer_turn(place->second);
    }

    /// Whether an item may start.
    bool can_start() const noexcept { return !turns_.empty(); }

    /// Takes the next item out of its line. It is under way until `finished` is called with its host.
    std::pair<Item*, host*> start() {
        host& h = *turns_.front();
        turns_.pop_front();
        h.has_turn = false;
        Item* const item = h.line.front();
        h.line.pop_front();
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
        if (h.under_way == 0 && h.line.empty()) hosts_.erase(hosts_.find(h.name));
    }

    /// Empties all lines, and returns the items.
    std::vector<Item*> clear() {
        std::vector<Item*> items;
        for (auto& [name, h] : hosts_) {
            items.insert(items.end(), h.line.begin(), h.line.end());
            h.line.clear();
            h.has_turn = false;
        }
        std::erase_if(hosts_, [](const auto& each) { return each.second.under_way == 0; });
        turns_.clear();
        size_ = 0;
        return items;
    }

    /// Items in line.
    std::size_t size() const noexcept { return size_; }

    /// Items under way, at all hosts together.
    std::size_t under_way() const noexcept { return under_way_; }

private:
    void offer_turn(host& h) {
        if (h.has_turn || h.line.empty() || h.under_way >= most_per_host_) return;
        h.has_turn = true;
        turns_.push_back(&h);
    }

    const std::size_t most_per_host_;
    std::map<std::string, host, std::less<>> hosts_;
    std::deque<host*> turns_;  // the hosts where an item may start
    std::size_t size_ = 0;
    std::size_t under_way_ = 0;
};

}  // namespace r2::inline v0_2::detail
