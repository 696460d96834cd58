#pragma once

#include <unistd.h>

namespace r2::inline v0_2::detail::curl {

/// Readiness of a descriptor: a sum of these flags.
inline constexpr int readable = 1;
inline constexpr int writable = 2;

/// A descriptor that is ready.
struct ready_descriptor {
    int fd;
    int ready;    ///< `readable`, `writable` or both.
    void* owner;  ///< As given to `watch`.

    friend bool operator==(const ready_descriptor&, const ready_descriptor&) = default;
};

/// A file descriptor that is closed when destroyed. -1 is none.
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

}  // namespace r2::inline v0_2::detail::curl
