#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

namespace r2::inline v0_2::detail::curl {

/// What a descriptor is to be ready for, and is: a sum of these.
inline constexpr int readable = 1;
inline constexpr int writable = 2;

/// A descriptor that is ready, what for, and whose it is.
struct ready_descriptor {
    int fd;
    int ready;  ///< `readable`, `writable` or both.
    void* owner;

    friend bool operator==(const ready_descriptor&, const ready_descriptor&) = default;
};

/// A file descriptor, closed in the end; -1 where there is none.
class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }

    operator int() const noexcept { return fd_; }

private:
    const int fd_;
};

#ifdef __linux__

/// Tells which of many descriptors are ready, by epoll. Used by one thread at a time, but for `wake`.
class epoll_readiness {
public:
    epoll_readiness() : all_(::epoll_create1(EPOLL_CLOEXEC)), alarm_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        // By its edges, so that nobody has to read it.
        usable_ = all_ >= 0 && alarm_ >= 0 && control(EPOLL_CTL_ADD, alarm_, EPOLLIN | EPOLLET, alarm);
    }

    /// False where this machine has no descriptors left.
    bool usable() const noexcept { return usable_; }

    /// Watches a descriptor for this from now on, for its owner, until it is watched for 0; before it is closed. False
    /// where there is no memory.
    bool watch(int fd, int wanted, void* owner) noexcept {
        const auto number = static_cast<std::size_t>(fd);
        if (!has(number)) return wanted == 0;
        watched& w = watched_[number];
        const bool known = w.wanted != 0;
        w.owner = owner;
        w.wanted = wanted;
        if (wanted == 0) {
            if (known) control(EPOLL_CTL_DEL, fd, w);  // fails where it was closed, and so is gone by itself
            return true;
        }
        if (known && control(EPOLL_CTL_MOD, fd, w)) return true;
        w.round = ++round_;
        return control(EPOLL_CTL_ADD, fd, w) || control(EPOLL_CTL_MOD, fd, w);
    }

    /// Blocks until some are ready, or `wake` was called, or for so many milliseconds. `next` then names them.
    void wait(int patience) noexcept {
        next_ = 0;
        count_ = std::max(0, ::epoll_wait(all_, ready_.data(), static_cast<int>(ready_.size()), patience));
        const auto known = [this](const epoll_event& e) { return e.data.u64 == alarm || watched_as(e); };
        if (!std::all_of(ready_.begin(), ready_.begin() + count_, known)) renew();
    }

    /// Whether the last `wait` found any that `next` hasn't looked at.
    bool more() const noexcept { return next_ < count_; }

    /// The next one that the last `wait` found and that is still watched for that. What went wrong with one shows when
    /// it is read or written.
    std::optional<ready_descriptor> next() noexcept {
        while (more()) {
            const epoll_event& each = ready_[static_cast<std::size_t>(next_++)];
            const watched* const w = watched_as(each);
            if (!w) continue;
            const int now = (each.events & ~EPOLLOUT ? readable : 0) | (each.events & ~EPOLLIN ? writable : 0);
            if (w->wanted & now) return ready_descriptor{fd_of(each), w->wanted & now, w->owner};
        }
        return std::nullopt;
    }

    /// Ends the `wait` that runs, or else the next one. From any thread.
    void wake() noexcept {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(alarm_, &one, sizeof one);
    }

    /// Its own descriptor, readable when `wait` has something to do: any is ready, or `wake` was called.
    int fd() const noexcept { return all_; }

    /// Gives back the memory that only many need.
    void shrink() noexcept {
        while (!watched_.empty() && watched_.back().wanted == 0) watched_.pop_back();
        watched_.shrink_to_fit();
    }

private:
    struct watched {
        void* owner = nullptr;
        int wanted = 0;
        std::uint32_t round = 0;  // tells it from an earlier one of the same number
    };

    /// What epoll calls the alarm.
    static constexpr std::uint64_t alarm = 0;

    static int fd_of(const epoll_event& e) noexcept { return static_cast<int>(e.data.u64 & 0xFFFF'FFFFU); }

    /// Null where nobody wants it.
    const watched* watched_as(const epoll_event& e) const noexcept {
        const auto number = static_cast<std::size_t>(fd_of(e));
        if (number >= watched_.size() || watched_[number].wanted == 0) return nullptr;
        return e.data.u64 >> 32 == watched_[number].round ? &watched_[number] : nullptr;
    }

    /// Makes the epoll set anew. libcurl closes some before it says so; what a child process has inherited of these
    /// stays in the set, and ready, and no number is left by which it could be taken out.
    void renew() noexcept {
        const descriptor fresh(::epoll_create1(EPOLL_CLOEXEC));
        if (fresh < 0 || ::dup3(fresh, all_, O_CLOEXEC) < 0) return;
        control(EPOLL_CTL_ADD, alarm_, EPOLLIN | EPOLLET, alarm);
        for (std::size_t i = 0; i < watched_.size(); ++i)
            if (watched_[i].wanted != 0) control(EPOLL_CTL_ADD, static_cast<int>(i), watched_[i]);
    }

    bool has(std::size_t number) noexcept {
        try {
            if (number >= watched_.size()) watched_.resize(number + 1);
            return true;
        } catch (...) {
            return false;
        }
    }

    bool control(int what, int fd, const watched& w) noexcept {
        const auto events =
            static_cast<std::uint32_t>((w.wanted & readable ? EPOLLIN : 0U) | (w.wanted & writable ? EPOLLOUT : 0U));
        return control(what, fd, events, std::uint64_t{w.round} << 32 | static_cast<std::uint32_t>(fd));
    }
    bool control(int what, int fd, std::uint32_t events, std::uint64_t name) noexcept {
        epoll_event e = {};
        e.events = events;
        e.data.u64 = name;
        return ::epoll_ctl(all_, what, fd, &e) == 0;
    }

    descriptor all_;
    descriptor alarm_;
    bool usable_ = false;
    std::uint32_t round_ = 0;
    std::vector<watched> watched_;  // by descriptor
    std::array<epoll_event, 128> ready_ = {};
    int count_ = 0;
    int next_ = 0;
};

#endif

/// The same by poll, where there is no epoll: what a wait costs grows with how many are watched.
class poll_readiness {
public:
    poll_readiness() {
        int ends[2] = {-1, -1};
        if (::pipe(ends) != 0) return;
        for (const int fd : ends) {
            ::fcntl(fd, F_SETFD, FD_CLOEXEC);
            ::fcntl(fd, F_SETFL, O_NONBLOCK);
        }
        read_ = ends[0];
        write_ = ends[1];
        all_.push_back({read_, POLLIN, 0});
    }
    poll_readiness(poll_readiness&&) = delete;
    ~poll_readiness() {
        if (!usable()) return;
        ::close(read_);
        ::close(write_);
    }

    bool usable() const noexcept { return read_ >= 0; }

    bool watch(int fd, int wanted, void* owner) noexcept {
        try {
            const auto number = static_cast<std::size_t>(fd);
            if (number >= watched_.size()) watched_.resize(number + 1);
            watched& w = watched_[number];
            if (wanted == 0) {
                if (w.place > 0) forget(w);
                return true;
            }
            if (w.place == 0) {
                all_.push_back({fd, 0, 0});
                w.place = all_.size() - 1;
            }
            w.owner = owner;
            all_[w.place].events =
                static_cast<short>((wanted & readable ? POLLIN : 0) | (wanted & writable ? POLLOUT : 0));
            return true;
        } catch (...) {
            return wanted == 0;
        }
    }

    void wait(int patience) {
        next_ = 0;
        ready_.clear();
        if (::poll(all_.data(), static_cast<nfds_t>(all_.size()), patience) <= 0) return;
        if (all_[0].revents) quieten();
        // A copy, as all_ changes when others are watched before `next` names these.
        std::copy_if(all_.begin() + 1, all_.end(), std::back_inserter(ready_),
                     [](const pollfd& p) { return p.revents; });
    }

    bool more() const noexcept { return next_ < ready_.size(); }

    std::optional<ready_descriptor> next() noexcept {
        while (more()) {
            const pollfd& each = ready_[next_++];
            const watched& w = watched_[static_cast<std::size_t>(each.fd)];
            if (w.place == 0) continue;
            const int wanted =
                (all_[w.place].events & POLLIN ? readable : 0) | (all_[w.place].events & POLLOUT ? writable : 0);
            const int now = (each.revents & ~POLLOUT ? readable : 0) | (each.revents & ~POLLIN ? writable : 0);
            if (wanted & now) return ready_descriptor{each.fd, wanted & now, w.owner};
        }
        return std::nullopt;
    }

    void wake() noexcept {
        [[maybe_unused]] const auto written = ::write(write_, "", 1);  // a pipe that is full wakes just as well
    }

    /// Readable after `wake` alone.
    int fd() const noexcept { return read_; }

    void shrink() noexcept {
        while (!watched_.empty() && watched_.back().place == 0) watched_.pop_back();
        watched_.shrink_to_fit();
        all_.shrink_to_fit();
        ready_.clear();  // which is found again
        next_ = 0;
        ready_.shrink_to_fit();
    }

private:
    struct watched {
        void* owner = nullptr;
        std::size_t place = 0;  // in all_; 0: not there
    };

    void forget(watched& w) noexcept {
        all_[w.place] = all_.back();
        watched_[static_cast<std::size_t>(all_[w.place].fd)].place = w.place;
        all_.pop_back();
        w = {};
    }

    void quieten() noexcept {
        char bytes[64];
        while (::read(read_, bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) {
        }
    }

    int read_ = -1;
    int write_ = -1;
    std::vector<pollfd> all_;       // the pipe first
    std::vector<watched> watched_;  // by descriptor
    std::vector<pollfd> ready_;
    std::size_t next_ = 0;
};

#ifdef __linux__
using readiness = epoll_readiness;
#else
using readiness = poll_readiness;
#endif

}  // namespace r2::inline v0_2::detail::curl
