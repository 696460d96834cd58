#include "r2/policy/hooks.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace {

using r2::attempt;
using r2::request;
using r2::response;
using r2::detail::before_attempt_callable;
using r2::detail::before_attempt_hook;

TEST(before_attempt, takes_and_returns_only_what_it_can_use) {
    static_assert(before_attempt_callable<void (*)(request&)>);
    static_assert(before_attempt_callable<response (*)(request&, int)>);
    static_assert(before_attempt_callable<std::optional<response> (*)(request&)>);
    static_assert(!before_attempt_callable<int (*)(request&)>);
    static_assert(!before_attempt_callable<bool (*)(request&, int)>);
    static_assert(!before_attempt_callable<void (*)()>);
}

template <class F> constexpr bool fits(F) { return before_attempt_callable<F>; }

void by_value(request) {}
void by_reference(request&) {}

TEST(before_attempt, takes_a_reference_in_10_ways) {
    static_assert(fits(by_reference));
    static_assert(fits([](request&) {}));
    static_assert(fits([](request&, int) {}));
    static_assert(fits([](const request& q) { return response{.body = q.url}; }));
    static_assert(fits([](auto& q) { q.method = "PUT"; }));
    static_assert(fits([](auto&& q) { q.method = "PUT"; }));
    static_assert(fits([](auto& q, auto) { q.method = "PUT"; }));
    static_assert(fits([](const auto& q) { return response{.body = q.url}; }));
    static_assert(before_attempt_callable<std::function<void(request&)>>);
    static_assert(before_attempt_callable<void (*)(request&) noexcept>);
}

TEST(before_attempt, takes_no_request_by_value_in_9_ways) {
    static_assert(!fits(by_value));
    static_assert(!fits([](request) {}));
    static_assert(!fits([](const request, int) {}));
    static_assert(!fits([](request q) mutable { q.method = "PUT"; }));
    static_assert(!fits([](request) noexcept {}));
    static_assert(!fits([](auto q) { q.method = "PUT"; }));
    static_assert(!fits([](auto q, int) { q.method = "PUT"; }));
    static_assert(!fits([](auto q, auto) { q.method = "PUT"; }));
    static_assert(!before_attempt_callable<std::function<void(request)>>);
}

TEST(before_attempt, of_null_is_unset_and_of_a_function_changes_the_request) {
    EXPECT_FALSE(static_cast<bool>(before_attempt_hook()));
    void (*pointer)(request&) = nullptr;
    EXPECT_FALSE(static_cast<bool>(before_attempt_hook(pointer)));
    pointer = [](request& q) { q.method = "PUT"; };
    request q;
    EXPECT_FALSE(before_attempt_hook(pointer)(q, 1));
    EXPECT_EQ(q.method, "PUT");
}

TEST(before_attempt, returns_nothing_or_a_response_from_3_forms) {
    request q;
    EXPECT_FALSE(before_attempt_hook([](request&) {})(q, 1));
    EXPECT_EQ(before_attempt_hook([](request&, int n) { return response{.status = n}; })(q, 207)->status, 207);
    EXPECT_FALSE(before_attempt_hook([](request&) { return std::optional<response>(); })(q, 1));
}

TEST(after_attempt, changes_the_response_and_on_attempt_sees_it) {
    attempt a(response{.status = 503});
    const r2::detail::after_attempt_hook after = [](const request&, attempt& x) { x.response()->status = 200; };
    int seen = 0;
    const r2::detail::on_attempt_hook on = [&](const request&, const attempt& x) { seen = x.response()->status; };
    after({}, a);
    on({}, a);
    EXPECT_EQ(seen, 200);
}

TEST(after_attempt, made_of_an_on_attempt_is_set_only_if_that_is) {
    const r2::detail::on_attempt_hook unset, set = [](const request&, const attempt&) {};
    EXPECT_FALSE(static_cast<bool>(r2::detail::after_attempt_hook(unset)));
    EXPECT_TRUE(static_cast<bool>(r2::detail::after_attempt_hook(set)));
}

TEST(after_attempt, of_2_nulls_is_unset) {
    void (*null)(const request&, attempt&) = nullptr;
    EXPECT_FALSE(static_cast<bool>(r2::detail::after_attempt_hook()));
    EXPECT_FALSE(static_cast<bool>(r2::detail::after_attempt_hook(nullptr)));
    EXPECT_FALSE(static_cast<bool>(r2::detail::after_attempt_hook(null)));
    EXPECT_TRUE(static_cast<bool>(r2::detail::after_attempt_hook([](const request&, attempt&) {})));
}

}  // namespace
