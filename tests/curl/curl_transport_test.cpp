#include "r2/curl/curl_transport.hpp"

#include <chrono>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <vector>

#include "curl/bare_transport.hpp"
#include "curl/fixture.hpp"

// Stops of real transfers. tests/bench/latency measures how prompt they are: here a stop has to end a transfer long
// before anything else would.

namespace {

using namespace r2::testkit;

/// Requests a stop, from a thread of its own, when `when` returns.
class stopper {
public:
    template <class F>
    explicit stopper(F when)
        : thread_([this, when] {
              when();
              requested_ = std::chrono::steady_clock::now();
              source_.request_stop();
          }) {}
    ~stopper() { thread_.join(); }
    stopper(const stopper&) = delete;

    std::stop_token token() const { return source_.get_token(); }

    /// The time since the request. Call it once, after the range has ended.
    r2::duration elapsed() {
        thread_.join();
        thread_ = std::thread([] {});
        return std::chrono::steady_clock::now() - requested_;
    }

private:
    std::stop_source source_;
    std::chrono::steady_clock::time_point requested_;
    std::thread thread_;
};

constexpr std::chrono::seconds soon{10};
static_assert(soon < patience);

void expect_stopped(const r2::attempt& a, int sends) {
    EXPECT_EQ(status_of(a), 0);
    EXPECT_TRUE(a.error() == r2::errc::stopped) << a.error().message();
    EXPECT_TRUE(a.error() == std::errc::operation_canceled);
    EXPECT_EQ(a.error().sent(), sends == 0 ? r2::sent::no : r2::sent::maybe);
    EXPECT_EQ(a.sends(), sends);
    EXPECT_EQ(a.ended(), r2::ended::stopped);
    EXPECT_EQ(a.number(), 1);
}

TEST(stop, ends_a_silent_transfer_after_1_send) {
    server s;
    r2::client c;
    s.default_answer(nothing().hang());
    stopper stop([&] { s.wait_for_requests(1, patience); });
    expect_stopped(c.get(s.url(), quick({.max_attempts = 3, .stop = stop.token()})).finish(), 1);
    EXPECT_LT(stop.elapsed(), soon);
    EXPECT_EQ(s.request_count(), 1U);
    EXPECT_TRUE(s.wait_until_all_left(patience)) << "the connection is of no use any more";
}

TEST(stop, ends_a_body_that_is_not_read_to_its_end_after_1_send) {
    server s;
    r2::client c;
    s.on_every_connection(fault::stop_reading_after_head());
    stopper stop([&] { s.wait_for_requests(1, patience); });
    const r2::body large = std::string(64 << 20, 'b');
    expect_stopped(c.post(s.url(), large, quick({.stop = stop.token()})).finish(), 1);
    EXPECT_LT(stop.elapsed(), soon);
}

/// Signals when libcurl opens a socket, which it does just before it connects.
struct connecting {
    std::binary_semaphore begun{0};

    static curl_socket_t open(void* self, curlsocktype, curl_sockaddr* a) {
        static_cast<connecting*>(self)->begun.release();
        return ::socket(a->family, a->socktype, a->protocol);
    }
    r2::client_options options() {
        return {.configure = [this](CURL* easy) {
            curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open);
            curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
        }};
    }
};

TEST(stop, ends_a_connect_to_a_full_backlog_after_0_sends) {
    const full_backlog full;
    connecting connect;
    r2::client_options settings = connect.options();
    settings.connect_timeout = patience;
    r2::client c(settings);
    stopper stop([&] { connect.begun.acquire(); });
    expect_stopped(c.get(full.url(), quick({.stop = stop.token()})).finish(), 0);
    EXPECT_LT(stop.elapsed(), soon);
}

TEST(stop, ends_a_tls_handshake_that_hangs_after_0_sends) {
    server s;
    s.on_every_connection(fault::hang_on_accept());
    r2::client c;
    stopper stop([&] { s.wait_for_connections(1, patience); });
    expect_stopped(c.get("https" + s.url().substr(4), quick({.stop = stop.token()})).finish(), 0);
    EXPECT_LT(stop.elapsed(), soon);
}

TEST(stop, ends_a_wait_of_10_minutes_with_no_further_attempt) {
    server s;
    r2::client c;
    s.default_answer(reply(503, "busy"));
    std::binary_semaphore waiting(0);
    stopper stop([&] { waiting.acquire(); });
    r2::attempts range = c.get(s.url(), {.interval = 10min, .stop = stop.token()});
    int attempts = 0;
    for (const r2::attempt& a : range) {
        ++attempts;
        EXPECT_EQ(status_of(a), 503);
        EXPECT_EQ(a.wait(), 10min);
        EXPECT_FALSE(a.is_last());
        waiting.release();
    }
    EXPECT_LT(stop.elapsed(), soon);
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ(range.ended(), r2::ended::stopped);
    EXPECT_EQ(s.request_count(), 1U);
}

TEST(stop, that_came_before_the_start_sends_0_requests) {
    server s;
    r2::client c;
    std::stop_source source;
    source.request_stop();
    r2::attempts range = c.get(s.url(), {.stop = source.get_token(), .stop_grace = patience});
    int attempts = 0;
    for (const r2::attempt& a : range) {
        ++attempts;
        expect_stopped(a, 0);
    }
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ(s.connections(), 0U);
}

TEST(stop, in_its_grace_lets_in_the_1_response_on_its_way) {
    for (const int status : {200, 503}) {
        server s;
        r2::client c;
        std::stop_source source;
        s.handle([&](const recorded_request&) {
            source.request_stop();
            return reply(status, "let in");
        });
        const r2::options o{.max_attempts = 3, .stop = source.get_token(), .stop_grace = patience};
        const r2::attempt a = c.get(s.url(), quick(o)).finish();
        ASSERT_EQ(status_of(a), status) << a.error().message();
        EXPECT_EQ(a.response()->body, "let in");
        EXPECT_EQ(a.ended(), status == 200 ? r2::ended::succeeded : r2::ended::stopped);
        EXPECT_EQ(s.request_count(), 1U);
    }
}

TEST(stop, whose_grace_of_20_ms_is_over_cuts_the_attempt) {
    server s;
    r2::client c;
    s.default_answer(nothing().hang());
    stopper stop([&] { s.wait_for_requests(1, patience); });
    expect_stopped(c.get(s.url(), quick({.stop = stop.token(), .stop_grace = 20ms})).finish(), 1);
    EXPECT_GE(stop.elapsed(), 20ms);
}

TEST(stop, gives_no_grace_to_1_request_that_is_not_sent_yet) {
    server s;
    std::stop_source source;
    // configure runs when the attempt has begun and makes its first handle.
    r2::client c({.configure = [&](CURL*) { source.request_stop(); }});
    expect_stopped(c.post(s.url(), "b", quick({.stop = source.get_token(), .stop_grace = patience})).finish(), 0);
    EXPECT_EQ(s.request_count(), 0U);
}

TEST(stop, leaves_the_client_fit_for_50_more_ranges) {
    server s;
    r2::client c;
    for (int i = 0; i < 50; ++i) {
        s.script({nothing().hang(), reply(200, "fine")});
        {
            std::stop_source source;
            std::jthread stop([&, wanted = static_cast<std::size_t>(2 * i + 1)] {
                s.wait_for_requests(wanted, patience);
                source.request_stop();
            });
            expect_stopped(c.get(s.url(), quick({.stop = source.get_token()})).finish(), 1);
        }
        const r2::attempt a = c.get(s.url(), quick()).finish();
        ASSERT_EQ(status_of(a), 200) << a.error().message();
        EXPECT_EQ(a.response()->body, "fine");
    }
    EXPECT_EQ(s.request_count(), 100U);
}

// The stop may come at any moment of a range.
TEST(stop, ends_4_ranges_of_4_threads_at_once) {
    server s;
    r2::client c;
    s.default_answer(reply(503));
    std::stop_source source;
    std::vector<std::thread> threads;
    std::vector<r2::ended> ends(4);
    for (r2::ended& end : ends)
        threads.emplace_back([&] {
            r2::attempts range = c.get(s.url(), {.backoff = r2::backoff::none(), .stop = source.get_token()});
            range.finish();
            end = range.ended();
        });
    s.wait_for_requests(40, patience);
    source.request_stop();
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(ends, std::vector(4, r2::ended::stopped));
}

TEST(tickets, stand_for_nothing_after_each_of_3_ends) {
    server s;
    gate later;
    s.handle([&](const recorded_request&) { return later.pass(reply(200)); });
    bare_transport e;
    ticket* const cancelled = e.get(s.url());
    EXPECT_NE(cancelled->transfer, nullptr);
    e->cancel(*cancelled);
    EXPECT_EQ(cancelled->transfer, nullptr);

    ticket* const drained = e.get(s.url());
    EXPECT_TRUE(e.go_on_until([&] { return s.request_count() == 1; }));
    e->drain(*drained, e.last(), e->now() + patience);
    EXPECT_EQ(drained->transfer, nullptr);

    later.open();
    ticket* const taken = e.get(s.url());
    EXPECT_EQ(status_of(e.finish(taken)), 200);
    EXPECT_EQ(taken->transfer, nullptr);
}

TEST(tickets, serve_2_transfers_one_after_the_other) {
    server s;
    bare_transport e;
    const auto q = std::make_shared<const r2::request>(r2::request{"GET", s.url()});
    ticket t;
    for (int i = 0; i < 2; ++i) {
        e->start(t, *q, {});
        EXPECT_EQ(status_of(e.finish(&t)), 200);
    }
}

#ifndef NDEBUG
TEST(tickets, of_1_transfer_that_is_gone_are_refused) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    bare_transport e;
    ticket* const t = e.get("no scheme");
    EXPECT_TRUE(e.finish(t).error() == r2::errc::invalid_request);
    EXPECT_DEATH(e->take(*t), "taken, cancelled or drained before");
    EXPECT_DEATH(e->cancel(*t), "taken, cancelled or drained before");
    EXPECT_DEATH(e->drain(*t, e.last(), r2::never), "taken, cancelled or drained before");
}

TEST(tickets, of_1_transfer_that_goes_on_can_start_no_other) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    bare_transport e;
    ticket* const t = e.get("no scheme");
    EXPECT_DEATH(e->start(*t, *e.last(), {}), "one transfer at a time");
    e->cancel(*t);
}
#endif

}  // namespace
