#pragma once

#ifdef __linux__

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "r2/curl/descriptor.hpp"

namespace r2::inline v0_2::detail::curl {

/// Finds the ready ones among many descriptors with epoll. One thread at a time may use it, but for `wake`.
class epoll_readiness {
public:
    epoll_readiness() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), alarm_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        usable_ = epoll_ >= 0 && alarm_ >= 0 && add_alarm();
    }

    /// False if this process has no descriptors left.
    bool usable() const noexcept { return usable_; }

    /// Watches `fd` for `wanted` until the next call for it. 0 ends the watch: call it before `fd` is closed. Returns
    /// false if there is no memory.
    bool watch(int fd, int wanted, void* owner) noexcept {
        const auto number = static_cast<std::size_t>(fd);
        if (!has_entry(number)) return wanted == 0;
        entry& e = entries_[number];
        const bool known = e.wanted != 0;
        e.owner = owner;
        e.wanted = wanted;
        if (wanted == 0) {
            if (known) control(EPOLL_CTL_DEL, fd, e);  // fails if fd was closed: the kernel removed it then
            return true;
        }
        if (known && control(EPOLL_CTL_MOD, fd, e)) return true;
        e.round = ++round_;
        return control(EPOLL_CTL_ADD, fd, e) || control(EPOLL_CTL_MOD, fd, e);
    }

    /// Blocks until a descriptor is ready, `wake` is called or `milliseconds` have passed. `next` returns the results.
    void wait(int milliseconds) noexcept {
        next_ = 0;
        count_ = std::max(0, ::epoll_wait(epoll_, ready_.data(), static_cast<int>(ready_.size()), milliseconds));
        const auto known = [this](const epoll_event& e) { return e.data.u64 == alarm || entry_of(e); };
        if (!std::all_of(ready_.begin(), ready_.begin() + count_, known)) renew();
    }

    /// Whether `next` has results left to look at.
    bool more() const noexcept { return next_ < count_; }

    /// Returns the next result of the last `wait` that is still watched for. An error on a descriptor counts as ready:
    /// reading or writing reports it.
    std::optional<ready_descriptor> next() noexcept {
        while (more()) {
            const epoll_event& event = ready_[static_cast<std::size_t>(next_++)];
            const entry* const e = entry_of(event);
            if (!e) continue;
            const int now = (event.events & ~EPOLLOUT ? readable : 0) | (event.events & ~EPOLLIN ? writable : 0);
            if (e->wanted & now) return ready_descriptor{fd_of(event), e->wanted & now, e->owner};
        }
        return std::nullopt;
    }

    /// Ends the current `wait`, or else the next one. Thread-safe.
    void wake() noexcept {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(alarm_, &one, sizeof one);
    }

    /// A descriptor that is readable while `wait` wouldn't block.
    int fd() const noexcept { return epoll_; }

    /// Frees memory that the watched descriptors don't need.
    void shrink() noexcept {
        while (!entries_.empty() && entries_.back().wanted == 0) entries_.pop_back();
        entries_.shrink_to_fit();
    }

private:
    struct entry {
        void* owner = nullptr;
        int wanted = 0;
        std::uint32_t round = 0;  // differs from that of an earlier descriptor of this number
    };

    /// The alarm's epoll_event::data. A descriptor's is its round and its number.
    static constexpr std::uint64_t alarm = 0;

    static int fd_of(const epoll_event& e) noexcept { return static_cast<int>(e.data.u64 & 0xFFFF'FFFFU); }

    /// Null if nobody watches the descriptor of this event.
    const entry* entry_of(const epoll_event& e) const noexcept {
        const auto number = static_cast<std::size_t>(fd_of(e));
        if (number >= entries_.size() || entries_[number].wanted == 0) return nullptr;
        return e.data.u64 >> 32 == entries_[number].round ? &entries_[number] : nullptr;
    }

    /// Replaces the epoll set. libcurl closes some descriptors before it ends their watch. If a child process inherited
    /// such a descriptor, it stays in the set and stays ready, and no number is left to remove it by.
    void renew() noexcept {
        const descriptor fresh(::epoll_create1(EPOLL_CLOEXEC));
        if (fresh < 0 || ::dup3(fresh, epoll_, O_CLOEXEC) < 0) return;
        add_alarm();
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (entries_[i].wanted != 0) control(EPOLL_CTL_ADD, static_cast<int>(i), entries_[i]);
    }

    bool has_entry(std::size_t number) noexcept {
        try {
            if (number >= entries_.size()) entries_.resize(number + 1);
            return true;
        } catch (...) {
            return false;
        }
    }

    /// Edge-triggered, so that nobody has to read the eventfd.
    bool add_alarm() noexcept { return control(EPOLL_CTL_ADD, alarm_, EPOLLIN | EPOLLET, alarm); }

    bool control(int operation, int fd, const entry& e) noexcept {
        const auto events =
            static_cast<std::uint32_t>((e.wanted & readable ? EPOLLIN : 0U) | (e.wanted & writable ? EPOLLOUT : 0U));
        return control(operation, fd, events, std::uint64_t{e.round} << 32 | static_cast<std::uint32_t>(fd));
    }
    bool control(int operation, int fd, std::uint32_t events, std::uint64_t data) noexcept {
        epoll_event e = {};
        e.events = events;
        e.data.u64 = data;
        return ::epoll_ctl(epoll_, operation, fd, &e) == 0;
    }

    descriptor epoll_;
    descriptor alarm_;
    bool usable_ = false;
    std::uint32_t round_ = 0;
    std::vector<entry> entries_;  // by descriptor
    std::array<epoll_event, 128> ready_ = {};
    int count_ = 0;
    int next_ = 0;
};

}  // namespace r2::inline v0_2::detail::curl

#endif
