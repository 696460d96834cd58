#include "r2/policy/by_origin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using r2::scope;
using states = r2::detail::by_origin<int>;

TEST(by_origin, keeps_1024_and_forgets_the_one_that_was_asked_for_least_recently) {
    states of_hosts(scope::origin, 0);
    const auto state = [&](int host) -> int& {
        return of_hosts.of({.url = "http://" + std::to_string(10'000 + host) + ".test/"});
    };
    for (int host = 0; host < 1024; ++host) state(host) = 1;
    EXPECT_EQ(state(0), 1);
    state(1024) = 1;
    EXPECT_EQ(state(0), 1);
    EXPECT_EQ(state(2), 1);
    EXPECT_EQ(state(1024), 1);
    EXPECT_EQ(state(1), 0);
}

TEST(by_origin, of_1024_forgets_the_1st_if_it_is_the_least_recent) {
    states of_hosts(scope::origin, 0);
    const auto state = [&](int host) -> int& {
        return of_hosts.of({.url = "http://" + std::to_string(host) + ".test/"});
    };
    for (int host = 0; host < 1024; ++host) state(host) = 1;
    EXPECT_EQ(state(1024), 0) << "the state of a new origin, in the place of the first";
    for (int host = 1; host < 1024; ++host) EXPECT_EQ(state(host), 1) << host;
    EXPECT_EQ(state(0), 0);
}

TEST(by_origin, tells_4_origins_apart_after_1_that_is_like_them) {
    states of_hosts(scope::origin, 0);
    for (const char* other : {"http://b.test/", "http://a.test2/", "http://a.test:81/", "https://a.test/"}) {
        of_hosts.of({.url = "http://a.test/"}) = 1;
        EXPECT_EQ(of_hosts.of({.url = other}), 0) << other;
    }
}

TEST(by_origin, takes_5_forms_of_1_origin_for_the_same) {
    states of_hosts(scope::origin, 0);
    of_hosts.of({.url = "http://a.test"}) = 1;
    for (const char* same :
         {"http://a.test", "http://a.test/x", "http://a.test?x", "http://A.test:80/", "http://me@a.test"})
        EXPECT_EQ(of_hosts.of({.url = same}), 1) << same;
}

TEST(by_origin, has_1_state_for_what_has_no_origin_and_another_for_what_has) {
    states of_hosts(scope::origin, 0);
    of_hosts.of({.url = ""}) = 1;
    EXPECT_EQ(of_hosts.of({.url = "a.test"}), 1);
    EXPECT_EQ(of_hosts.of({.url = "//a.test:81/"}), 0);
}

TEST(by_origin, has_1_state_for_all_where_it_is_global) {
    states of_all(scope::global, 0);
    of_all.of({.url = "http://a.test/"}) = 1;
    EXPECT_EQ(of_all.of({.url = "http://b.test/"}), 1);
}

int& state(r2::detail::by_origin<int>& all, std::string url) {
    return all.of({.method = "GET", .url = std::move(url)});
}

TEST(by_origin, keeps_1_state_for_each) {
    r2::detail::by_origin<int> all(r2::scope::origin, 5);
    ++state(all, "http://a.test/x");
    ++state(all, "http://A.TEST:80/y");
    EXPECT_EQ(state(all, "http://a.test"), 7);
    EXPECT_EQ(state(all, "http://a.test.evil/"), 5);
    EXPECT_EQ(state(all, "http://a.test:81/"), 5);
    EXPECT_EQ(state(all, "http://a.test@b.test/"), 5) << "which is b's";
}

TEST(by_origin, keeps_1_state_for_all) {
    r2::detail::by_origin<int> all(r2::scope::global, 5);
    ++state(all, "http://a.test/");
    EXPECT_EQ(state(all, "https://b.test/"), 6);
}

TEST(by_origin, of_1025_origins_forgets_the_one_unused_for_longest) {
    r2::detail::by_origin<int> all(r2::scope::origin, 0);
    const auto url = [](std::size_t n) { return "http://" + std::to_string(n) + ".test/"; };
    for (std::size_t n = 0; n < all.max_origins; ++n) state(all, url(n)) = 1;
    EXPECT_EQ(state(all, url(0)), 1) << "used once more";
    EXPECT_EQ(state(all, "http://new.test/"), 0);
    EXPECT_EQ(state(all, url(0)), 1);
    EXPECT_EQ(state(all, url(2)), 1);
    EXPECT_EQ(state(all, url(1)), 0);
}

}  // namespace
