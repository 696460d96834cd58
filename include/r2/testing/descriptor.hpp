#pragma once

#include <utility>

#include "r2/config.hpp"

namespace r2::inline v0_2::testing::detail {

/// Owns a file descriptor.
class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor();

    int get() const noexcept { return fd_; }

private:
    int fd_;
};

}  // namespace r2::inline v0_2::testing::detail

#ifndef R2_COMPILED
#include "r2/testing/descriptor.ipp"
#endif
