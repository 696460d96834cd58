#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <r2/r2.hpp>

#include "curl/fixture.hpp"
#include "support/leftovers.hpp"

namespace r2::testkit {
namespace {

std::map<hedged_copy::fate, int> fates_of(const attempt& a) {
    std::map<hedged_copy::fate, int> count;
    for (const hedged_copy& c : a.copies()) ++count[c.became];
    return count;
}

using fate = hedged_copy::fate;

TEST(hedging, the_winners_body_of_4_mib_is_whole_and_the_losers_is_nowhere) {
    const std::string good = all_bytes(4U << 20), bad(1U << 20, 'x');
    server s;
    s.script({reply(200, bad).trickle(bad.size() / 2, 30s), reply(200, good)});
    const client c;
    auto last = c.get(s.url(), {.timeout = patience, .hedge = {.copies = 1, .after = 50ms}}).finish();
    ASSERT_TRUE(last.response()) << last.error().message();
    EXPECT_TRUE(last.response()->body == good);
    EXPECT_EQ(last.sends(), 2);
    EXPECT_EQ(fates_of(last), (std::map<fate, int>{{fate::won, 1}, {fate::lost, 1}}));
}

TEST(hedging, an_original_with_the_first_response_wins_against_2_copies) {
    server s;
    s.script({late(200ms, reply(200, "original")), nothing().hang(), nothing().hang()});
    const client c;
    const auto last = c.get(s.url(), {.timeout = patience, .hedge = {.copies = 2, .after = 20ms}}).finish();
    ASSERT_TRUE(last.response()) << last.error().message();
    EXPECT_EQ(last.response()->body, "original");
    EXPECT_EQ(last.copies()[0].became, fate::won);
    EXPECT_EQ(last.copies().size(), 3U);
}

// The next two tests are those of pester, a Go library that hedges.
TEST(hedging, pesters_3_lanes_of_3_attempts_that_all_fail_are_9_sends) {
    server s;
    s.default_answer(nothing().reset());
    const client c;
    auto range = c.get(s.url(), quick({.max_attempts = 3, .hedge = {.copies = 2}}));
    int sends = 0;
    for (auto& a : range) {
        sends += a.sends();
        EXPECT_EQ(fates_of(a), (std::map<fate, int>{{fate::failed, 3}}));
        EXPECT_EQ(a.error(), errc::disconnected);
        EXPECT_EQ(a.error().sent(), sent::maybe);
    }
    EXPECT_EQ(sends, 9);
    EXPECT_EQ(range.ended(), ended::exhausted);
    EXPECT_TRUE(s.wait_until_begun(9, patience));
    EXPECT_EQ(s.begun(), 9U);
}

TEST(hedging, pesters_first_success_of_3_lanes_wins_and_the_rest_are_cancelled) {
    server s;
    s.script({nothing().hang(), nothing().hang(), reply(200, "first")});
    {
        const client c;
        const auto last = c.get(s.url(), quick({.hedge = {.copies = 2, .drain = 0s}})).finish();
        ASSERT_TRUE(last.response()) << last.error().message();
        EXPECT_EQ(last.response()->body, "first");
        EXPECT_TRUE(s.wait_for_connections(static_cast<std::size_t>(last.sends()), patience));
        EXPECT_TRUE(
            s.wait_until_open(1, patience));  // all connections but the winner's are closed while the client lives
        EXPECT_EQ(s.open_connections(), 1U);
    }
    EXPECT_TRUE(s.wait_until_all_left(patience));
}

TEST(hedging, a_post_is_sent_once_and_a_put_of_a_file_by_2_copies_is_whole_each_time) {
    const temporary_directory dir;
    const std::string text = all_bytes(300'000);
    const std::string path = dir.file("body", text);
    server s;
    s.default_answer(late(200ms, reply(200, "ok")));
    const client c;
    const options hedged{.timeout = patience, .hedge = {.copies = 1}};
    EXPECT_EQ(c.post(s.url("/post"), "x", hedged).finish().sends(), 1);
    EXPECT_EQ(c.put(s.url("/put"), body::file(path), hedged).finish().sends(), 2);
    s.wait_for_requests(3, patience);
    int puts = 0;
    for (const recorded_request& q : s.requests()) {
        if (q.target != "/put") continue;
        ++puts;
        EXPECT_TRUE(!q.complete || q.body == text);  // the copy that lost may have been cut
    }
    EXPECT_EQ(puts, 2);
}

TEST(hedging, a_stop_cuts_3_copies_and_leaves_nothing_behind) {
    expect_nothing_left_by([] {
        server s;
        s.default_answer(nothing().hang());
        std::stop_source source;
        const client c;
        std::jthread stopper([&] {
            s.wait_for_requests(3, patience);
            source.request_stop();
        });
        const auto last = c.get(s.url(), {.stop = source.get_token(), .hedge = {.copies = 2}}).finish();
        EXPECT_EQ(last.ended(), ended::stopped);
        EXPECT_EQ(last.sends(), 3);
        EXPECT_EQ(last.error().sent(), sent::maybe);
    });
}

TEST(hedging, of_200_requests_of_all_yields_each_once_whichever_copy_was_faster) {
    server s;
    std::atomic<int> n = 0;
    s.handle([&](const recorded_request& q) { return late(++n % 7 == 0 ? 60ms : 0ms, reply(200, q.target)); });
    std::vector<std::string> urls;
    for (int i = 0; i < 200; ++i) urls.push_back(s.url("/" + std::to_string(i)));
    const client c;
    std::vector<int> seen(200);
    std::size_t sends = 0;
    for (auto& a : c.all(urls, quick({.hedge = {.copies = 2, .after = 10ms}}), {.max_per_host = 20})) {
        auto&& [job, res, err] = a;
        ++seen[job];
        sends += static_cast<std::size_t>(a.sends());
        ASSERT_TRUE(res) << err.message();
        EXPECT_EQ(res->body, "/" + std::to_string(job));
    }
    EXPECT_EQ(seen, std::vector<int>(200, 1));
    EXPECT_GE(sends, s.request_count());
}

}  // namespace
}  // namespace r2::testkit
