#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "r2/curl/intrusive_list.hpp"
#include "r2/curl/multi_group.hpp"

namespace r2::inline v0_2::detail::curl {

/// A transport's groups for one scheme. Makes a new group when the others are full.
class group_set {
public:
    /// `room`: the number of transfers in a group. `max_idle`: the number of connections kept between ranges.
    group_set(reactor& r, int room, int max_idle) : reactor_(r), room_(room), max_idle_(max_idle) {}
    group_set(group_set&&) = delete;

    /// Chooses the group that served the URL's origin last, if it has room. Else fills one open group after the other.
    /// Sets `origin` to the origin's hash, or to 0 while there is only one group.
    multi_group& group_for(std::string_view url, std::size_t& origin) {
        origin = 0;
        if (all_.size() > 1) {
            // Hashed as written: an origin with two spellings has a few connections more.
            origin = std::hash<std::string_view>()(url.substr(0, url.find('/', url.find("//") + 2)));
            if (multi_group* const g = take_affinity(origin)) return *g;
        }
        if (open_.empty()) {
            all_.push_back(std::make_unique<multi_group>(reactor_, *this, room_, max_idle_));
            open_.push_front(*all_.back());
        }
        return open_.front();
    }

    /// As `multi_group::add`.
    bool add(multi_group& g, CURL* easy, driven_by by) noexcept {
        const bool added = g.add(easy, by);
        if (g.size() == g.room_for_any) open_.remove(g);
        return added;
    }
    void remove(multi_group& g, CURL* easy) noexcept {
        g.remove(easy);
        if (g.size() == g.room_for_any - 1) open_.push_front(g);
    }

    /// Notes that a transfer for this origin left its connection in `g`.
    void add_affinity(std::size_t origin, multi_group& g) noexcept {
        if (origin == 0) return;
        try {
            // With more origins than connections, most of these connections are closed.
            if (affinities_.size() > all_.size() * static_cast<std::size_t>(room_)) affinities_.clear();
            affinities_[origin].push_back(&g);
        } catch (...) {  // no memory: another group serves this origin
        }
    }

    /// Makes the groups due whose timer has run out, and notes the next timer.
    void find_due() noexcept {
        for (const auto& g : all_)
            if (g->timer() <= reactor_.now)
                g->set_due();
            else
                reactor_.next_timer = std::min(reactor_.next_timer, g->timer());
    }

    /// Closes all groups except one and those that still receive a response.
    void close_idle() noexcept {
        affinities_.clear();
        if (all_.empty()) return;
        multi_group& kept = open_.empty() ? *all_.front() : open_.front();
        kept.close_idle();
        std::erase_if(all_, [&](const std::unique_ptr<multi_group>& g) {
            if (g->size() > 0 || g.get() == &kept) return false;
            open_.remove(*g);
            return true;
        });
    }

private:
    /// Null if no group with room has a connection to this origin.
    multi_group* take_affinity(std::size_t origin) noexcept {
        const auto found = affinities_.find(origin);
        if (found == affinities_.end()) return nullptr;
        while (!found->second.empty()) {
            multi_group* const last = found->second.back();
            found->second.pop_back();
            if (last->size() < last->room) return last;
        }
        return nullptr;
    }

    reactor& reactor_;
    const int room_;
    const int max_idle_;
    std::vector<std::unique_ptr<multi_group>> all_;
    intrusive_list<multi_group> open_;                                       // those that take any transfer
    std::unordered_map<std::size_t, std::vector<multi_group*>> affinities_;  // by origin
};

}  // namespace r2::inline v0_2::detail::curl
