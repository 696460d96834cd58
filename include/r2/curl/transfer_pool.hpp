#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "r2/curl/handles.hpp"
#include "r2/curl/pooled_transfer.hpp"
#include "r2/policy/client_options.hpp"

namespace r2::inline v0_2::detail::curl {

/// The transfers of one transport. A transfer never moves.
class transfer_pool {
public:
    transfer_pool(const client_options& settings, CURLSH* share) : settings_(settings), share_(share) {}

    std::size_t size() const noexcept { return all_.size(); }
    pooled_transfer& operator[](std::size_t index) const noexcept { return *all_[index]; }

    /// The idle transfer that was used last, or a new one. It stays idle until `take_idle`.
    pooled_transfer& idle() {
        if (idle_.empty()) {
            if (idle_.capacity() == all_.size()) idle_.reserve(2 * all_.size() + kept_when_closed);
            all_.push_back(std::make_unique<pooled_transfer>(settings_, share_));
            all_.back()->index = all_.size() - 1;
            idle_.push_back(all_.back().get());
        }
        return *idle_.back();
    }

    /// Takes the transfer that `idle` returned last.
    void take_idle() noexcept { idle_.pop_back(); }

    /// Makes a transfer idle, or destroys it if it can't be reused.
    void release(pooled_transfer& t) noexcept {
        t.detach();
        t.release();
        if (t.is_reusable())
            idle_.push_back(&t);  // within its capacity
        else
            erase(t);
    }

    /// Destroys the idle transfers but a few.
    void close_idle() noexcept {
        while (idle_.size() > kept_when_closed) {
            erase(*idle_.back());
            idle_.pop_back();
        }
    }

private:
    static constexpr std::size_t kept_when_closed = 8;

    void erase(pooled_transfer& t) noexcept {
        const std::size_t index = t.index;
        std::swap(all_[index], all_.back());
        all_[index]->index = index;
        all_.pop_back();
    }

    const client_options& settings_;
    CURLSH* const share_;
    std::vector<std::unique_ptr<pooled_transfer>> all_;
    std::vector<pooled_transfer*> idle_;  // the one used last at the end; has room for all
};

}  // namespace r2::inline v0_2::detail::curl
