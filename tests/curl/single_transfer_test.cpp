#include <chrono>
#include <string>
#include <thread>

#include "curl/bare_transport.hpp"

// A transport's only transfer is on a fast path, until another one joins it.

namespace {

using namespace r2::testkit;

struct single_one {
    single_one() {
        s.handle([this](const recorded_request& q) {
            return q.target == "/slow" ? slow.pass(reply(200, std::string(100'000, 's'))) : reply(204);
        });
        another_joins();
        first = e.get(s.url("/slow"));
    }
    ~single_one() {
        EXPECT_LT(e->now(), late);
        slow.open();
    }

    bool is_sent() {
        return e.go_on_until([&] { return s.request_count() == 2; });
    }
    void another_joins() { EXPECT_EQ(status_of(e.finish(e.get(s.url("/quick")))), 204); }
    void expect_the_first_one_whole() {
        slow.open();
        const r2::attempt a = e.finish(first);
        ASSERT_TRUE(a.response()) << a.error().message();
        EXPECT_EQ(a.response()->body.size(), 100'000U);
    }

    gate slow;
    server s;
    bare_transport e;
    const r2::time_point late =
        e->now() + 5s;   // a transfer that was forgotten goes on by libcurl's connect_timeout of 10 s
    ticket* first = {};  // on a reused connection: no timer of libcurl moves it on
};

TEST(single_transfer, goes_on_beside_1_more_that_starts_with_it) {
    single_one one;
    one.another_joins();
    one.expect_the_first_one_whole();
}

TEST(single_transfer, goes_on_beside_1_more_that_starts_after_it_was_sent) {
    single_one one;
    ASSERT_TRUE(one.is_sent());
    one.another_joins();
    one.expect_the_first_one_whole();
}

TEST(single_transfer, goes_on_after_3_others_in_turn) {
    single_one one;
    ASSERT_TRUE(one.is_sent());
    for (int i = 0; i < 3; ++i) one.another_joins();
    one.expect_the_first_one_whole();
    EXPECT_EQ(one.s.connections(), 2U);
}

TEST(single_transfer, goes_on_when_1_other_is_cancelled) {
    single_one one;
    ASSERT_TRUE(one.is_sent());
    one.e->cancel(*one.e.get(one.s.url("/quick")));
    one.expect_the_first_one_whole();
}

TEST(single_transfer, with_its_response_at_hand_is_complete_when_1_more_starts) {
    single_one one;
    ASSERT_TRUE(one.is_sent());
    one.slow.open();
    std::this_thread::sleep_for(
        50ms);  // nobody receives it. The test holds whether all of the response came by then or not
    ticket* const other = one.e.get(one.s.url("/quick"));
    for (int complete = 0; complete < 2; ++complete) {
        const auto c = one.e->wait_until(one.e->now() + patience);
        ASSERT_TRUE(c);
        std::optional<r2::attempt> a;
        a = one.e->take(*c->which);
        EXPECT_EQ(status_of(*a), c->which == other ? 204 : 200);
    }
}

TEST(single_transfer, is_single_again_once_3_others_are_over) {
    single_one one;
    ASSERT_TRUE(one.is_sent());
    one.another_joins();
    one.expect_the_first_one_whole();
    for (int i = 0; i < 3; ++i) one.another_joins();
    EXPECT_EQ(one.s.connections(), 2U);
}

TEST(single_transfer, that_was_just_redirected_does_not_hide_1_other) {
    gate slow, moves;
    server s;
    s.handle([&](const recorded_request& q) {
        if (q.target == "/moved") return moves.pass(reply(302, "", {{"Location", "/later"}}));
        if (q.target == "/later") return late(100ms, reply(204));
        return q.target == "/slow" ? slow.pass(reply(200)) : reply(204);
    });
    bare_transport e;
    const r2::time_point late =
        e->now() + 5s;  // a transfer that was forgotten goes on by libcurl's connect_timeout of 10 s
    for (int i = 0; i < 2; ++i) e.get(s.url("/"));  // makes a connection for each
    for (int i = 0; i < 2; ++i) {
        const auto c = e->wait_until(late);
        ASSERT_TRUE(c);
        EXPECT_EQ(e->cancel(*c->which), 1);
    }
    ticket* const moved = e.get(s.url("/moved"));
    ASSERT_TRUE(e.go_on_until([&] { return s.request_count() == 3; }));
    moves.open();
    std::this_thread::sleep_for(50ms);  // nobody receives its response
    ticket* const other = e.get(s.url("/slow"));
    EXPECT_EQ(status_of(e.finish(moved)), 204);
    slow.open();
    EXPECT_EQ(status_of(e.finish(other)), 200);
    EXPECT_LT(e->now(), late);
}

TEST(single_transfer, is_woken_3_times) {
    single_one one;
    ASSERT_TRUE(one.is_sent());
    for (int i = 0; i < 3; ++i) {
        std::thread other([&] { one.e->wake(); });
        EXPECT_FALSE(one.e->wait_until(one.e->now() + patience));
        other.join();
    }
    const r2::time_point until = one.e->now() + 50ms;
    EXPECT_FALSE(one.e->wait_until(until));
    EXPECT_GE(one.e->now(), until);  // no wake counted twice
    one.expect_the_first_one_whole();
}

}  // namespace
