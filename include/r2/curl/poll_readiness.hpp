#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

#include "r2/curl/descriptor.hpp"

namespace r2::inline v0_2::detail::curl {

/// The interface of `epoll_readiness` on poll, for systems without epoll. A wait costs more the more are watched.
class poll_readiness {
public:
    poll_readiness() : poll_readiness(open_pipe()) {}

    /// False if this process has no descriptors left.
    bool usable() const noexcept { return read_ >= 0; }

    bool watch(int fd, int wanted, void* owner) noexcept {
        try {
            const auto number = static_cast<std::size_t>(fd);
            if (number >= entries_.size()) entries_.resize(number + 1);
            entry& e = entries_[number];
            if (wanted == 0) {
                if (e.place > 0) remove(e);
                return true;
            }
            if (e.place == 0) {
                watched_.push_back({fd, 0, 0});
                e.place = watched_.size() - 1;
            }
            e.owner = owner;
            watched_[e.place].events =
                static_cast<short>((wanted & readable ? POLLIN : 0) | (wanted & writable ? POLLOUT : 0));
            return true;
        } catch (...) {
            return wanted == 0;
        }
    }

    void wait(int milliseconds) {
        next_ = 0;
        ready_.clear();
        if (::poll(watched_.data(), static_cast<nfds_t>(watched_.size()), milliseconds) <= 0) return;
        if (watched_[0].revents) empty_pipe();
        // A copy: watched_ may change before `next` has returned all of them.
        std::copy_if(watched_.begin() + 1, watched_.end(), std::back_inserter(ready_),
                     [](const pollfd& p) { return p.revents; });
    }

    bool more() const noexcept { return next_ < ready_.size(); }

    std::optional<ready_descriptor> next() noexcept {
        while (more()) {
            const pollfd& each = ready_[next_++];
            const entry& e = entries_[static_cast<std::size_t>(each.fd)];
            if (e.place == 0) continue;
            const short events = watched_[e.place].events;
            const int wanted = (events & POLLIN ? readable : 0) | (events & POLLOUT ? writable : 0);
            const int now = (each.revents & ~POLLOUT ? readable : 0) | (each.revents & ~POLLIN ? writable : 0);
            if (wanted & now) return ready_descriptor{each.fd, wanted & now, e.owner};
        }
        return std::nullopt;
    }

    void wake() noexcept {
        [[maybe_unused]] const auto written = ::write(write_, "", 1);  // a full pipe wakes just as well
    }

    /// A descriptor that is readable after `wake`, but not when others are ready.
    int fd() const noexcept { return read_; }

    void shrink() noexcept {
        while (!entries_.empty() && entries_.back().place == 0) entries_.pop_back();
        entries_.shrink_to_fit();
        watched_.shrink_to_fit();
        ready_.clear();  // the next wait finds them again
        next_ = 0;
        ready_.shrink_to_fit();
    }

private:
    struct entry {
        void* owner = nullptr;
        std::size_t place = 0;  // in watched_; 0 is none
    };

    /// Two ends, the reading one first. {-1, -1} if there are no descriptors.
    static std::array<int, 2> open_pipe() noexcept {
        std::array<int, 2> ends = {-1, -1};
        if (::pipe(ends.data()) != 0) return {-1, -1};
        for (const int fd : ends) {
            ::fcntl(fd, F_SETFD, FD_CLOEXEC);
            ::fcntl(fd, F_SETFL, O_NONBLOCK);
        }
        return ends;
    }

    explicit poll_readiness(std::array<int, 2> pipe) : read_(pipe[0]), write_(pipe[1]) {
        if (usable()) watched_.push_back({read_, POLLIN, 0});
    }

    void remove(entry& e) noexcept {
        watched_[e.place] = watched_.back();
        entries_[static_cast<std::size_t>(watched_[e.place].fd)].place = e.place;
        watched_.pop_back();
        e = {};
    }

    void empty_pipe() noexcept {
        char bytes[64];
        while (::read(read_, bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) {
        }
    }

    descriptor read_;
    descriptor write_;
    std::vector<pollfd> watched_;  // the pipe first
    std::vector<entry> entries_;   // by descriptor
    std::vector<pollfd> ready_;
    std::size_t next_ = 0;
};

}  // namespace r2::inline v0_2::detail::curl
