#include <chrono>
#include <string>

#include "curl/bare_transport.hpp"
#include "support/leftovers.hpp"

// The rest of a response that nobody waits for any more, as of a hedged copy that has lost.

namespace {

using namespace r2::testkit;

struct a_drain {
    a_drain() {
        s.handle(
            [this](const recorded_request& q) { return q.target == "/slow" ? slow.pass(slow_response) : reply(200); });
    }
    ~a_drain() { slow.open(); }

    ticket* start_slow() {
        const std::size_t before = s.request_count();
        ticket* const id = e.get(s.url("/slow"));
        EXPECT_TRUE(e.go_on_until([&] { return s.request_count() > before; }));
        return id;
    }
    int drain(ticket* id, r2::duration time = patience) { return e->drain(*id, e.last(), e->now() + time); }

    gate slow;
    answer slow_response = reply(200, std::string(100'000, 's'));
    server s;
    bare_transport e;
};

TEST(drain, receives_1_response_so_that_its_connection_serves_another_request) {
    a_drain r;
    EXPECT_EQ(r.drain(r.start_slow()), 1);
    EXPECT_EQ(status_of(r.e.finish(r.e.get(r.s.url("/quick")))), 200);
    EXPECT_EQ(r.s.connections(), 2U);
    r.slow.open();
    // libcurl takes no connection that is still in use.
    const r2::time_point late = r.e->now() + patience;
    for (std::size_t reused = 0; reused < 20 && r.e->now() < late; ++reused) r.e->wait_until(r.e->now() + 5ms);
    for (int i = 0; i < 2; ++i) r.e.get(r.s.url("/slow"));
    for (int i = 0; i < 2; ++i) {
        const auto c = r.e->wait_until(r.e->now() + patience);
        ASSERT_TRUE(c);
        EXPECT_EQ(r.e->cancel(*c->which), 1);
    }
    EXPECT_EQ(r.s.request_count(), 4U);
    EXPECT_EQ(r.s.connections(), 2U);
}

TEST(drain, cuts_1_transfer_that_is_overdue) {
    a_drain r;
    EXPECT_EQ(r.drain(r.start_slow(), 1ms), 1);
    EXPECT_TRUE(r.e.go_on_until([&, over = r.e->now() + 2ms] { return r.e->now() > over; }));
    r.e->wait_until(r.e->now());
    r.slow.open();
    EXPECT_TRUE(r.s.wait_until_all_left(patience));
}

TEST(drain, cuts_1_transfer_without_any_time_left_at_once) {
    a_drain r;
    EXPECT_EQ(r.drain(r.start_slow(), r2::duration{}), 1);
    r.slow.open();
    EXPECT_TRUE(r.s.wait_until_all_left(patience));
}

TEST(drain, cuts_1_request_that_is_not_sent_yet) {
    a_drain r;
    EXPECT_EQ(r.drain(r.e.get(r.s.url("/slow"))), 0);
    EXPECT_FALSE(r.e->wait_until(r.e->now() + 10ms));
    EXPECT_EQ(r.s.request_count(), 0U);
}

TEST(drain, cuts_a_body_that_is_on_its_way_out) {
    server s;
    s.on_every_connection(fault::stop_reading_after_head());
    bare_transport e;
    const auto q = std::make_shared<const r2::request>(
        r2::request{.method = "POST", .url = s.url(), .body = std::string(64 << 20, 'b')});
    ticket* const id = e.start(q);
    EXPECT_TRUE(e.go_on_until([&] { return s.begun() == 1; }));
    const std::size_t before = open_descriptors();
    EXPECT_EQ(e->drain(*id, q, e->now() + patience), 1);
    EXPECT_EQ(open_descriptors(), before - 1);
}

TEST(drain, follows_no_redirect) {
    a_drain r;
    r.slow_response = reply(302, "", {{"Location", "/next"}});
    EXPECT_EQ(r.drain(r.start_slow()), 1);
    r.slow.open();
    EXPECT_EQ(status_of(r.e.finish(r.e.get(r.s.url("/quick")))), 200);
    for (int i = 0; i < 20; ++i) r.e->wait_until(r.e->now() + 5ms);
    EXPECT_EQ(r.s.request_count(), 2U);
}

TEST(drain, sends_nothing_again_on_a_connection_that_died) {
    a_drain r;
    EXPECT_EQ(status_of(r.e.finish(r.e.get(r.s.url("/quick")))), 200);  // libcurl resends only on a reused connection
    r.slow_response = nothing().close();
    EXPECT_EQ(r.drain(r.start_slow()), 1);
    EXPECT_EQ(r.s.connections(), 1U);
    r.slow.open();
    for (int i = 0; i < 20; ++i) r.e->wait_until(r.e->now() + 5ms);
    EXPECT_EQ(r.s.request_count(), 2U);
    EXPECT_EQ(status_of(r.e.finish(r.e.get(r.s.url("/quick")))), 200);
}

TEST(drain, of_a_complete_one_just_ends_it) {
    a_drain r;
    ticket* const id = r.e.get(r.s.url("/quick"));
    EXPECT_TRUE(r.e->wait_until(r2::detail::never));
    EXPECT_EQ(r.drain(id), 1);
    EXPECT_FALSE(r.e->wait_until(r.e->now()));
}

TEST(drain, outlives_the_request_and_ends_with_the_transport) {
    expect_nothing_left_by([] {
        a_drain r;
        for (int i = 0; i < 70; ++i) {
            auto q = std::make_shared<const r2::request>(r2::request{"GET", r.s.url("/slow")});
            ticket* const id = r.e.start(q);
            EXPECT_TRUE(r.e.go_on_until([&] { return r.s.request_count() == static_cast<std::size_t>(i) + 1; }));
            EXPECT_EQ(r.e->drain(*id, std::move(q), r.e->now() + patience), 1);
        }
        r.e->close_idle();
    });
}

}  // namespace
