#include "r2/curl/group_set.hpp"

#include <map>
#include <thread>
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

TEST(groups, have_500_transfers_in_flight_at_a_time) {
    server s;
    s.keep_requests(false);
    barrier all_there(500);
    s.handle([&](const recorded_request& q) {
        all_there.wait();
        return reply(200, q.target);
    });
    std::vector<int> answers(500);
    for (auto&& [job, res, err] :
         r2::client().all(urls_of(s, 500), quick(), {.max_in_flight = 500, .max_per_host = 0})) {
        ASSERT_TRUE(res) << err.message();
        EXPECT_EQ(res->body, "/" + std::to_string(job));
        ++answers[job];
    }
    EXPECT_EQ(answers, std::vector<int>(500, 1));
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

TEST(groups, are_let_go_of_after_a_range_but_for_1) {
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

TEST(groups, name_completions_in_the_order_in_which_they_came) {
    bare_transport e;
    ticket *const a = e.get("no scheme"), *const b = e.get("ftp://x/"), *const c = e.get("http://"),
                  *const d = e.get("x://");
    const auto first = [&] { return e->wait_until(r2::never)->which; };
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
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(e->cancel(*all[i * 2 % 199]), 1);  // every other, round and round
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
    EXPECT_FALSE(e->wait_until(r2::never));
    other.join();
}

TEST(groups, without_descriptors_fail_and_never_hang) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "UBSan asks a pipe whether memory can be read, and takes it for broken where it gets none";
#endif
    server s;
    s.keep_requests(false);
    const auto urls = urls_of(s, 150);
    // The server finds no descriptors either, and leaves some connections unanswered.
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
