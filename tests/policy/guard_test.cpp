#include "r2/policy/guard.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr r2::time_point now = r2::time_point(1h);

/// Overrides only the pure function and `record`.
class smallest_guard : public r2::guard {
public:
    r2::admission admit(const r2::request&, int number, r2::time_point) override {
        calls.push_back("admit " + std::to_string(number));
        return r2::admission::go;
    }
    void record(const r2::attempt& a, r2::time_point) override {
        calls.push_back("record " + std::to_string(a.response()->status));
    }

    std::vector<std::string> calls = {};
};

TEST(guard, that_overrides_2_functions_gets_all_5_calls_by_them) {
    smallest_guard small;
    r2::guard& g = small;
    const r2::request q;
    EXPECT_FALSE(g.admit(q, 1, now).refused());
    EXPECT_FALSE(g.admit_next(q, r2::attempt(r2::response{.status = 503}), now).refused());
    g.record_of(q, r2::attempt(r2::response{.status = 200}), now);
    g.cancel(q, now);
    EXPECT_EQ(small.calls, (std::vector<std::string>{"admit 1", "admit 2", "record 200"}));
}

TEST(admission, unless_set_is_go) {
    EXPECT_FALSE(r2::admission().refused());
    EXPECT_EQ(r2::admission().wait(), 0s);
    EXPECT_EQ(r2::admission().reason(), "");
    EXPECT_TRUE(r2::admission::refuse("").refused());
}

TEST(admission, goes_waits_or_refuses) {
    EXPECT_FALSE(r2::admission(r2::admission::go).refused());
    EXPECT_EQ(r2::admission::go().wait(), 0s);
    EXPECT_EQ(r2::admission::wait(3s).wait(), 3s);
    EXPECT_EQ(r2::admission::refuse("no").reason(), "no");
}

}  // namespace
