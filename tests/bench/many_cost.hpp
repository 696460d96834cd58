#pragma once

#include <sys/resource.h>

#include <iostream>

namespace bench {

/// The CPU time, user and system, that this process takes for `counted` requests. The `before` requests that come first
/// make connections and allocate memory; they don't count.
class cost {
public:
    cost(int before, int counted) : before_(before), counted_(counted) {}

    /// Counts one request that is over.
    void count() {
        ++over_;
        if (over_ == before_) began_ = used();
        if (over_ == before_ + counted_) ended_ = used();
    }

    /// Prints microseconds per request. Returns the exit status: 1 unless all were good.
    int print(int good) const {
        std::cout << (ended_ - began_) / counted_ << '\n';
        return good == over_ && over_ >= before_ + counted_ ? 0 : 1;
    }

private:
    static double used() {
        rusage all = {};
        ::getrusage(RUSAGE_SELF, &all);
        const auto microseconds = [](const timeval& t) {
            return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
        };
        return microseconds(all.ru_utime) + microseconds(all.ru_stime);
    }

    const int before_;
    const int counted_;
    int over_ = 0;
    double began_ = 0;
    double ended_ = 0;
};

}  // namespace bench
