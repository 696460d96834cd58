#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2::inline v0_2::detail {

/// What is ready to start, in line by host: hosts take turns, and at one host nobody overtakes. Knows what is under
/// way, so that no host has more of that than its share.
template <class J> class host_queue {
public:
    /// Exists while somebody is in line or under way there.
    struct host {
        std::string_view name = {};
        std::deque<J*> line = {};
        std::size_t under_way = 0;
        bool has_turn = false;
    };

    explicit host_queue(std::size_t most_per_host) : most_per_host_(most_per_host) {}

    void push(J& job, std::string_view name) {
        auto place = hosts_.find(name);
        if (place == hosts_.end()) {
            place = hosts_.emplace(name, host()).first;
            place->second.name = place->first;
        }
        place->second.line.push_back(&job);
        ++size_;
        offer_turn(place->second);
    }

    /// Whether there is one that may start.
    bool can_start() const noexcept { return !turns_.empty(); }

    /// Takes it out of its line; it is under way until its host hears that it is `over`.
    std::pair<J*, host*> start() {
        host& h = *turns_.front();
        turns_.pop_front();
        h.has_turn = false;
        J* const job = h.line.front();
        h.line.pop_front();
        --size_;
        ++h.under_way;
        offer_turn(h);
        return {job, &h};
    }

    void over(host& h) {
        --h.under_way;
        offer_turn(h);
        if (h.under_way == 0 && h.line.empty()) hosts_.erase(hosts_.find(h.name));
    }

    /// Empties all lines.
    std::vector<J*> drop() {
        std::vector<J*> dropped;
        for (auto& [name, h] : hosts_) {
            dropped.insert(dropped.end(), h.line.begin(), h.line.end());
            h.line.clear();
            h.has_turn = false;
        }
        std::erase_if(hosts_, [](const auto& each) { return each.second.under_way == 0; });
        turns_.clear();
        size_ = 0;
        return dropped;
    }

    std::size_t size() const noexcept { return size_; }

private:
    void offer_turn(host& h) {
        if (h.has_turn || h.line.empty() || h.under_way >= most_per_host_) return;
        h.has_turn = true;
        turns_.push_back(&h);
    }

    const std::size_t most_per_host_;
    std::map<std::string, host, std::less<>> hosts_;
    std::deque<host*> turns_;  // where one may start
    std::size_t size_ = 0;
};

}  // namespace r2::inline v0_2::detail
