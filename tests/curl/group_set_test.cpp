#include "r2/curl/group_set.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "curl/bare_transport.hpp"
#include "support/few_descriptors.hpp"
#include "support/leftovers.hpp"

namespace {

using namespace r2::testkit;

std::vector<std::string> urls_of(const server& s, int n) {
    std::vector<std::string> all;
    for (int i = 0; i < n; ++i) all.push_back(s.url("/" + std::to_string(i)));
    return all;
}

using r2::detail::curl::driven_by;
using r2::detail::curl::easy_handle;
using r2::detail::curl::multi_group;

/// Groups of 4, of which 3 are for any transfer. Nothing is sent.
struct group_set : testing::Test {
    struct member {
        easy_handle easy{curl_easy_init()};
        multi_group* group = nullptr;
        std::size_t origin = 0;
    };

    group_set() { r2::detail::curl::initialise(); }
    ~group_set() override {
        for (member& m : members)
            if (m.group) remove(m);
    }

    member& add(const std::string& url = "http://a/") {
        member& m = members.emplace_back();
        m.group = &all.group_for(url, m.origin);
        EXPECT_TRUE(all.add(*m.group, m.easy.get(), driven_by::reactor));
        return m;
    }
    void remove(member& m) { all.remove(*std::exchange(m.group, nullptr), m.easy.get()); }

    r2::detail::curl::reactor r;
    r2::detail::curl::group_set all{r, 4, 2};
    std::deque<member> members;
};

TEST_F(group_set, fills_3_places_of_a_group_before_it_makes_another) {
    for (int i = 0; i < 7; ++i) add();
    EXPECT_EQ(r.groups, 3U);
    EXPECT_EQ(members[0].group, members[2].group);
    EXPECT_NE(members[2].group, members[3].group);
    EXPECT_EQ(members[3].group, members[5].group);
    EXPECT_EQ(members[6].group->size(), 1);
}

TEST_F(group_set, fills_1_place_that_became_free_first) {
    for (int i = 0; i < 4; ++i) add();
    multi_group* const full = members[0].group;
    remove(members[1]);
    EXPECT_EQ(add().group, full);
    EXPECT_EQ(add().group, members[3].group);
}

TEST_F(group_set, gives_the_4th_place_to_1_origin_whose_connection_is_there) {
    for (int i = 0; i < 4; ++i) add();
    member& other = add("http://b/x");
    EXPECT_NE(other.group, members[0].group);
    EXPECT_NE(other.origin, 0U);
    all.add_affinity(other.origin, *members[0].group);
    member& again = add("http://b/y?z");
    EXPECT_EQ(again.origin, other.origin);
    EXPECT_EQ(again.group, members[0].group);
    EXPECT_EQ(again.group->size(), 4);
    all.add_affinity(other.origin, *members[0].group);
    EXPECT_EQ(add("http://b/").group, members[3].group) << "the first has no room";
}

TEST_F(group_set, makes_each_of_2_groups_due_when_its_timer_has_run_out) {
    for (int i = 0; i < 4; ++i) add();
    EXPECT_EQ(r.due.size(), 2U) << "libcurl starts a transfer at once";
    for (multi_group* const g : {members[0].group, members[3].group}) EXPECT_TRUE(g->handle_timer());
}

TEST_F(group_set, keeps_1_of_3_groups_and_those_with_transfers_when_it_closes_the_idle_ones) {
    for (int i = 0; i < 7; ++i) add();
    for (std::size_t i : {0U, 1U, 2U, 6U}) remove(members[i]);
    all.close_idle();
    EXPECT_EQ(r.groups, 2U);
    EXPECT_EQ(members[4].group->size(), 3);
    for (std::size_t i : {3U, 4U, 5U}) remove(members[i]);
    all.close_idle();
    EXPECT_EQ(r.groups, 1U);
    add();
    EXPECT_EQ(r.groups, 1U);
}

TEST(groups, have_500_transfers_in_flight_at_a_time) {
    server s;
    s.keep_requests(false);
    barrier all_there(500);
    s.handle([&](const recorded_request& q) {
        all_there.wait();
        return reply(200, q.target);
    });
    std::vector<int> responses(500);
    for (auto&& [job, res, err] :
         r2::client().all(urls_of(s, 500), quick(), {.max_in_flight = 500, .max_per_host = 0})) {
        ASSERT_TRUE(res) << err.message();
        EXPECT_EQ(res->body, "/" + std::to_string(job));
        ++responses[job];
    }
    EXPECT_EQ(responses, std::vector<int>(500, 1));
    EXPECT_EQ(s.connections(), 500U);
}

TEST(groups, keep_the_connections_of_200_jobs_over_6_rounds) {
    server s;
    r2::options o = quick({.max_attempts = 6, .terminate_if = [](const r2::response&) { return false; }});
    o.backoff = r2::backoff::constant(1ms);
    int attempts = 0;
    for (auto& a : r2::client().all(urls_of(s, 200), o, {.max_in_flight = 200, .max_per_host = 0})) {
        EXPECT_TRUE(a.response()) << a.error().message();
        ++attempts;
    }
    EXPECT_EQ(attempts, 1200);
    EXPECT_LE(s.connections(), 250U);
}

TEST(groups, serve_each_of_8_origins_where_its_connections_are) {
    std::vector<server> all(8);
    std::vector<std::string> urls;
    for (int i = 0; i < 160; ++i) urls.push_back(all[static_cast<std::size_t>(i) % 8].url("/" + std::to_string(i)));
    r2::options o = quick({.max_attempts = 10, .terminate_if = [](const r2::response&) { return false; }});
    o.backoff = r2::backoff::constant(1ms);
    for (auto& a : r2::client().all(urls, o, {.max_in_flight = 160, .max_per_host = 0})) EXPECT_TRUE(a.response());
    std::size_t connections = 0;
    for (const server& s : all) connections += s.connections();
    EXPECT_LE(connections, 160U + 160U / 2);  // of 1600 requests
}

TEST(groups, are_closed_after_a_range_but_for_1) {
    server s;
    barrier all_there(300);
    s.handle([&](const recorded_request& q) {
        if (q.target != "/more") all_there.wait();
        return reply(200);
    });
    const r2::client c;
    const std::size_t before = open_descriptors();
    auto range = c.all(urls_of(s, 300), quick(), {.max_in_flight = 300, .max_per_host = 0});
    for (auto& a : range) EXPECT_TRUE(a.response());
    EXPECT_EQ(s.connections(), 300U);
    const auto ours = [&] { return open_descriptors() - before - s.open_connections(); };
    EXPECT_TRUE(s.wait_until_open(64, patience));
    EXPECT_LE(s.open_connections(), 64U);
    EXPECT_LE(ours(), 64U + 8U);
    EXPECT_EQ(status_of(c.get(s.url("/more"), quick()).finish()), 200);
    EXPECT_EQ(s.connections(), 300U);
}

TEST(groups, return_4_completions_in_their_order) {
    bare_transport e;
    ticket *const a = e.get("no scheme"), *const b = e.get("ftp://x/"), *const c = e.get("http://"),
                  *const d = e.get("x://");
    const auto first = [&] { return e->wait_until(r2::detail::never)->which; };
    EXPECT_EQ(first(), a);
    EXPECT_EQ(first(), a);
    EXPECT_EQ(e->cancel(*b), 0);
    EXPECT_TRUE(e.finish(a).error() == r2::errc::invalid_request);
    EXPECT_EQ(first(), c);
    EXPECT_TRUE(e.finish(c).error() == r2::errc::invalid_request);
    EXPECT_TRUE(e.finish(d).error() == r2::errc::invalid_request);
    EXPECT_FALSE(e->wait_until(e->now()));
}

TEST(groups, cancel_1_of_200_in_any_state) {
    server s;
    gate later;
    s.handle([&](const recorded_request& q) { return q.target == "/late" ? later.pass(reply(200)) : reply(200); });
    bare_transport e;
    ticket* const unsent = e.get(s.url());
    EXPECT_EQ(e->cancel(*unsent), 0);
    std::vector<ticket*> all;
    for (int i = 0; i < 199; ++i) all.push_back(e.get(s.url("/late")));
    EXPECT_TRUE(e.go_on_until([&] { return s.request_count() == 199; }));
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(e->cancel(*all[i * 2 % 199]), 1);  // every other one, then the rest
    later.open();
    std::size_t complete = 0;
    while (complete < 99) {
        const auto c = e->wait_until(e->now() + patience);
        ASSERT_TRUE(c);
        EXPECT_EQ(e->cancel(*c->which), 1);
        ++complete;
    }
    EXPECT_FALSE(e->wait_until(e->now()));
    EXPECT_EQ(status_of(e.finish(e.get(s.url()))), 200);
}

TEST(groups, are_woken_while_200_are_in_flight) {
    server s;
    s.default_answer(nothing().hang());
    bare_transport e;
    for (int i = 0; i < 200; ++i) e.get(s.url());
    EXPECT_TRUE(e.go_on_until([&] { return s.request_count() == 200; }));
    std::thread other([&] { e->wake(); });
    EXPECT_FALSE(e->wait_until(r2::detail::never));
    other.join();
}

TEST(groups, without_descriptors_fail_and_never_hang) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "UBSan asks a pipe whether memory can be read, and takes it for broken where it gets none";
#endif
    server s;
    s.keep_requests(false);
    const auto urls = urls_of(s, 150);
    // The server has no descriptors left either, and never accepts some connections.
    const r2::options o = quick({.timeout = 100ms});
    for (int more = 0; more < 16; ++more) {
        r2::client c;
        {
            const few_descriptors few(more);
            for (auto& a : c.all(urls, o, {.max_in_flight = 150, .max_per_host = 0}))
                EXPECT_TRUE(a.response() || a.error() == r2::errc::local || a.error() == r2::errc::connect ||
                            a.error() == r2::errc::disconnected || a.error() == r2::errc::timeout)
                    << more << ": " << a.error().message();
        }
        EXPECT_EQ(status_of(c.get(s.url(), quick()).finish()), 200) << more;
    }
}

}  // namespace
