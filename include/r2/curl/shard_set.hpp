#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "r2/curl/shard.hpp"

namespace r2::inline v0_2::detail::curl {

/// An transport's shards for one scheme: has a place for every transfer, and opens a shard where the others are full.
class shard_set {
public:
    /// `room`: so many transfers share a shard.
    shard_set(waiting& w, int room, int max_idle) : waiting_(w), room_(room), max_idle_(max_idle) {}
    shard_set(shard_set&&) = delete;

    /// The shard in which its origin was served last, if it has room; else one that takes any: these are filled one
    /// after the other. `origin` is put where there is more than one shard to choose from, else 0.
    shard& place_for(std::string_view url, std::size_t& origin) {
        origin = 0;
        if (all_.size() > 1) {
            // As it is written: if it is written in two ways, it has some connections more.
            origin = std::hash<std::string_view>()(url.substr(0, url.find('/', url.find("//") + 2)));
            if (const auto seats = seats_.find(origin); seats != seats_.end())
                while (!seats->second.empty()) {
                    shard& last = *seats->second.back();
                    seats->second.pop_back();
                    if (last.size() < last.room) return last;
                }
        }
        if (all_.empty() || all_.front().size() >= all_.front().room_for_any) {
            all_.emplace_front(waiting_, *this, room_, max_idle_);
            all_.front().self = all_.begin();
        }
        return all_.front();
    }

    /// A transfer for this origin left its connection there.
    void remember_seat(std::size_t origin, shard& s) noexcept {
        if (origin == 0) return;
        try {
            // More origins than there can be connections: most of these are gone.
            if (seats_.size() > all_.size() * static_cast<std::size_t>(room_)) seats_.clear();
            seats_[origin].push_back(&s);
        } catch (...) {  // then it is served elsewhere
        }
    }

    /// A transfer came to a shard, or left it.
    void grown(shard& s) noexcept {
        if (s.size() == s.room_for_any) all_.splice(all_.end(), all_, s.self);
    }
    void shrunk(shard& s) noexcept {
        if (s.size() == s.room_for_any - 1) all_.splice(all_.begin(), all_, s.self);
    }

    /// Queues those whose timers have run out, and notes when the next one does.
    void queue_due() noexcept {
        for (shard& s : all_)
            if (s.due() <= waiting_.now)
                s.queue();
            else
                waiting_.next = std::min(waiting_.next, s.due());
    }

    /// No range needs them now: keeps one, and those with an answer that comes in.
    void rest() noexcept {
        seats_.clear();
        if (all_.empty()) return;
        all_.front().rest();
        for (auto next = std::next(all_.begin()); next != all_.end();) {
            const auto s = next++;
            if (s->size() == 0) all_.erase(s);
        }
    }

private:
    waiting& waiting_;
    const int room_;
    const int max_idle_;
    std::list<shard> all_;                                        // those with room for any first
    std::unordered_map<std::size_t, std::vector<shard*>> seats_;  // by origin, where its connections were left
};

}  // namespace r2::inline v0_2::detail::curl
