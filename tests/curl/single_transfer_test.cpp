#include <chrono>
#include <string>
#include <thread>

#include "curl/bare_transport.hpp"

// A transfer that is alone in its transport, and what happens when another joins it.

namespace {

using namespace r2::testkit;

struct a_lone_one {
    a_lone_one() {
        s.handle([this](const recorded_request& q) {
            return q.target == "/slow" ? slow.pass(reply(200, std::string(100'000, 's'))) : reply(204);
        });
        another_joins();
        first = e.get(s.url("/slow"));
    }
    ~a_lone_one() {
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
    const r2::time_point late = e->now() + 5s;  // by its connect_timeout, libcurl finds what was missed
    ticket* first = {};  // on a connection that was there, so that no timer of libcurl's moves it
};

TEST(lone, a_transfer_goes_on_beside_another_that_starts_with_it) {
    a_lone_one one;
    one.another_joins();
    one.expect_the_first_one_whole();
}

TEST(lone, a_transfer_goes_on_beside_another_that_starts_after_it_was_sent) {
    a_lone_one one;
    ASSERT_TRUE(one.is_sent());
    one.another_joins();
    one.expect_the_first_one_whole();
}

TEST(lone, a_transfer_goes_on_after_3_others_in_turn) {
    a_lone_one one;
    ASSERT_TRUE(one.is_sent());
    for (int i = 0; i < 3; ++i) one.another_joins();
    one.expect_the_first_one_whole();
    EXPECT_EQ(one.s.connections(), 2U);
}

TEST(lone, a_transfer_goes_on_when_the_other_is_cancelled) {
    a_lone_one one;
    ASSERT_TRUE(one.is_sent());
    one.e->cancel(*one.e.get(one.s.url("/quick")));
    one.expect_the_first_one_whole();
}

TEST(lone, a_transfer_that_has_its_answer_already_is_complete_when_another_starts) {
    a_lone_one one;
    ASSERT_TRUE(one.is_sent());
    one.slow.open();
    std::this_thread::sleep_for(50ms);  // nobody looks at it; whether all of the answer came by then doesn't matter
    ticket* const other = one.e.get(one.s.url("/quick"));
    for (int complete = 0; complete < 2; ++complete) {
        const auto c = one.e->wait_until(one.e->now() + patience);
        ASSERT_TRUE(c);
        std::optional<r2::attempt> a;
        a = one.e->take(*c->which);
        EXPECT_EQ(status_of(*a), c->which == other ? 204 : 200);
    }
}

TEST(lone, a_transfer_is_alone_again_once_the_others_are_over) {
    a_lone_one one;
    ASSERT_TRUE(one.is_sent());
    one.another_joins();
    one.expect_the_first_one_whole();
    for (int i = 0; i < 3; ++i) one.another_joins();
    EXPECT_EQ(one.s.connections(), 2U);
}

TEST(lone, a_transfer_that_has_just_been_redirected_does_not_hide_the_other) {
    gate slow, moves;
    server s;
    s.handle([&](const recorded_request& q) {
        if (q.target == "/moved") return moves.pass(reply(302, "", {{"Location", "/later"}}));
        if (q.target == "/later") return late(100ms, reply(204));
        return q.target == "/slow" ? slow.pass(reply(200)) : reply(204);
    });
    bare_transport e;
    const r2::time_point late = e->now() + 5s;      // by its connect_timeout, libcurl finds what was missed
    for (int i = 0; i < 2; ++i) e.get(s.url("/"));  // which makes a connection for each
    for (int i = 0; i < 2; ++i) {
        const auto c = e->wait_until(late);
        ASSERT_TRUE(c);
        EXPECT_EQ(e->cancel(*c->which), 1);
    }
    ticket* const moved = e.get(s.url("/moved"));
    ASSERT_TRUE(e.go_on_until([&] { return s.request_count() == 3; }));
    moves.open();
    std::this_thread::sleep_for(50ms);  // nobody looks at its answer
    ticket* const other = e.get(s.url("/slow"));
    EXPECT_EQ(status_of(e.finish(moved)), 204);
    slow.open();
    EXPECT_EQ(status_of(e.finish(other)), 200);
    EXPECT_LT(e->now(), late);
}

TEST(lone, a_transfers_wait_is_woken_and_woken_again) {
    a_lone_one one;
    ASSERT_TRUE(one.is_sent());
    for (int i = 0; i < 3; ++i) {
        std::thread other([&] { one.e->wake(); });
        EXPECT_FALSE(one.e->wait_until(one.e->now() + patience));
        other.join();
    }
    const r2::time_point until = one.e->now() + 50ms;
    EXPECT_FALSE(one.e->wait_until(until));
    EXPECT_GE(one.e->now(), until);  // none of the wakes came twice
    one.expect_the_first_one_whole();
}

}  // namespace
