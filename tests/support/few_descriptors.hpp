#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

namespace r2::testkit {

/// Limits this process to so many more descriptors until it is destroyed.
class few_descriptors {
public:
    explicit few_descriptors(int more) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        // Take the free numbers below the limit first, or they could still be opened.
        int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        const int highest = next + 512;
        for (; next >= 0 && next < highest; next = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) taken_.push_back(next);
        if (next >= 0) taken_.push_back(next);
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(taken_.back()) + 1;
        ::setrlimit(RLIMIT_NOFILE, &now);
        for (int i = 0; i < more; ++i) {
            ::close(taken_.back());
            taken_.pop_back();
        }
    }
    few_descriptors(const few_descriptors&) = delete;
    ~few_descriptors() {
        for (const int fd : taken_) ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    rlimit before_ = {};
    std::vector<int> taken_;
};

}  // namespace r2::testkit
