#include <gtest/gtest.h>

#include <memory>

#include <r2/execution/hook_calls.hpp>
#include <r2/testing/virtual_transport.hpp>

namespace {

using r2::detail::hook_calls;

struct rig {
    explicit rig(r2::options options) : o(std::move(options)) {}

    r2::testing::detail::virtual_transport transport{std::make_shared<r2::testing::detail::world>()};
    r2::detail::latency_log latencies;
    const r2::request q{.url = "http://a/"};
    const r2::options o;
    const r2::detail::execution_context context{transport, latencies, q, o};
    hook_calls hooks{context};
};

TEST(hook_calls, give_each_of_2_attempts_a_copy_of_the_request_of_its_own) {
    rig r({.before_attempt = [](r2::request& q, int number) { q.url += std::to_string(number); }});
    EXPECT_EQ(&r.hooks.sent_request(), &r.q);
    EXPECT_FALSE(r.hooks.before(1));
    EXPECT_EQ(r.hooks.sent_request().url, "http://a/1");
    EXPECT_FALSE(r.hooks.before(2));
    EXPECT_EQ(r.hooks.sent_request().url, "http://a/2");
    EXPECT_EQ(r.q.url, "http://a/");
    r.hooks.forget_copy();
    EXPECT_EQ(&r.hooks.sent_request(), &r.q);
}

TEST(hook_calls, hand_out_the_response_of_before_attempt_once) {
    rig r({.before_attempt = [](r2::request&) { return r2::response{.status = 207}; }});
    EXPECT_TRUE(r.hooks.before(1));
    EXPECT_EQ(r.hooks.take_response()->status, 207);
    EXPECT_FALSE(r.hooks.take_response());
}

TEST(hook_calls, keep_the_notes_of_an_outcome_that_after_attempt_replaces) {
    rig r({.after_attempt = [](const r2::request&, r2::attempt& a) { a = r2::attempt(r2::response{.status = 201}); }});
    r2::attempt a(r2::error(r2::errc::timeout), 3);
    a.notes().number = 7;
    r.hooks.after(a);
    EXPECT_EQ(a.response()->status, 201);
    EXPECT_EQ(a.number(), 7);
    EXPECT_EQ(a.sends(), 3);
}

TEST(hook_calls, that_are_not_set_do_nothing) {
    rig r({});
    r2::attempt a(r2::response{.status = 200});
    EXPECT_FALSE(r.hooks.before(1));
    r.hooks.after(a);
    r.hooks.on(a);
    EXPECT_EQ(&r.hooks.sent_request(), &r.q);
    EXPECT_EQ(a.response()->status, 200);
}

}  // namespace
