#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <r2/drivers/scheduler.hpp>
#include <r2/policy/latency_log.hpp>
#include <r2/testing.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::testing::fake_client;

using urls = std::vector<std::string>;

static_assert(std::ranges::input_range<r2::all_attempts>);
static_assert(std::ranges::view<r2::all_attempts>);
static_assert(std::same_as<std::ranges::range_reference_t<r2::all_attempts>, r2::job_attempt&>);
static_assert(std::same_as<std::tuple_element_t<0, r2::job_attempt>, std::size_t>);
static_assert(std::same_as<std::tuple_element_t<1, r2::job_attempt>, r2::response*>);
static_assert(std::same_as<std::tuple_element_t<1, const r2::job_attempt>, const r2::response*>);
static_assert(std::same_as<std::tuple_element_t<2, r2::job_attempt>, const r2::error&>);

/// URLs /0, /1, … that are made as they are read.
class counting_urls {
public:
    explicit counting_urls(int n, std::shared_ptr<int> read) : n_(n), read_(std::move(read)) {}

    class iterator {
    public:
        using difference_type = std::ptrdiff_t;
        using value_type = std::string;
        explicit iterator(const counting_urls* from) : from_(from) {}
        std::string operator*() const {
            ++*from_->read_;
            return "http://host.test/" + std::to_string(at_);
        }
        iterator& operator++() { return ++at_, *this; }
        void operator++(int) { ++at_; }
        bool operator==(std::default_sentinel_t) const { return at_ == from_->n_; }

    private:
        const counting_urls* from_;
        int at_ = 0;
    };
    iterator begin() const { return iterator(this); }
    std::default_sentinel_t end() const { return {}; }

private:
    int n_;
    std::shared_ptr<int> read_;
};

/// Each line is an attempt, such as "1: 503" or "0: stopped!", where "!" is the last of its job.
std::vector<std::string> lines_of(r2::all_attempts range) {
    std::vector<std::string> lines;
    for (auto& a : range) {
        auto&& [job, res, err] = a;
        lines.push_back(std::to_string(job) + ": " +
                        (res ? std::to_string(res->status) : std::string(to_string(err.kind()))) +
                        (a.is_last() ? "!" : ""));
    }
    return lines;
}

using lines = std::vector<std::string>;

TEST(all, yields_the_attempts_of_3_requests_as_they_are_over) {
    fake_client fake;
    fake.reply_after(300ms, 200).reply_after(100ms, 503).reply_after(200ms, 404).reply(200);
    EXPECT_EQ(lines_of(r2::all(urls{"http://a.test/", "http://b.test/", "http://c.test/"}, {.via = &fake})),
              (lines{"1: 503", "2: 404!", "0: 200!", "1: 200!"}));
    EXPECT_EQ(fake.now(), 1100ms) << "100 ms and the half of 2 s";
}

TEST(all, takes_urls_requests_and_pairs_of_either_and_options) {
    fake_client fake;
    fake.reply(503).forever();
    const char* const texts[] = {"http://a.test/", "http://b.test/"};
    EXPECT_EQ(lines_of(fake.all(texts, {.max_attempts = 1})), (lines{"0: 503!", "1: 503!"}));

    std::vector<r2::request> requests{{.method = "PUT", .url = "http://a.test/", .body = "x"}};
    EXPECT_EQ(lines_of(fake.all(requests, {.max_attempts = 1, .headers = {{"X-All", "1"}}})), lines{"0: 503!"});
    EXPECT_EQ(requests[0].body.text(), "x") << "an lvalue is left as it is";
    EXPECT_EQ(fake.requests().back().method, "PUT");
    EXPECT_EQ(fake.requests().back().headers.get("X-All"), "1");

    const std::vector<std::pair<std::string, r2::options>> pairs{
        {"http://a.test/", {.max_attempts = 2, .interval = 1s, .headers = {{"X-Own", "2"}}}},
        {"http://b.test/", {.max_attempts = 1}}};
    EXPECT_EQ(lines_of(fake.all(pairs, {.max_attempts = 9})), (lines{"0: 503", "1: 503!", "0: 503!"}));
    EXPECT_EQ(fake.requests().back().headers.get("X-Own"), "2");

    EXPECT_EQ(lines_of(fake.all(urls{})), lines{});
    EXPECT_EQ(lines_of(fake.all(std::vector<std::pair<r2::request, r2::options>>{{{.url = ""}, {}}})),
              lines{"0: invalid request!"});
}

TEST(all, reads_and_sends_nothing_before_it_is_pulled_and_no_more_than_there_is_room_for) {
    fake_client fake;
    fake.reply_after(1s, 200).forever();
    const auto read = std::make_shared<int>(0);
    auto range = fake.all(counting_urls(1'000'000, read), {}, {.max_in_flight = 4});
    EXPECT_EQ(*read, 0);
    auto at = range.begin();
    EXPECT_EQ(*read, 0);
    EXPECT_EQ(at->job(), 0U);
    EXPECT_EQ(*read, 4);
    EXPECT_EQ(fake.requests().size(), 4U);
    ++at;
    EXPECT_EQ(*read, 4) << "only marked";
    EXPECT_EQ(at->job(), 1U);
    EXPECT_EQ(*read, 5);
    EXPECT_EQ(range.progress().in_flight, 3U) << "nothing new starts while the body of the loop runs";
    EXPECT_FALSE(range.progress().all_read);
}

TEST(all, sends_nothing_more_after_a_break_and_goes_on_where_it_was) {
    fake_client fake;
    fake.reply(200).forever();
    auto range = fake.all(counting_urls(10, std::make_shared<int>(0)), {}, {.max_in_flight = 2});
    for (auto& a : range)
        if (a.job() == 3) break;
    const std::size_t sent = fake.requests().size();
    EXPECT_LE(sent, 5U);
    std::vector<std::size_t> rest;
    for (auto& a : range) rest.push_back(a.job());
    EXPECT_EQ(rest, (std::vector<std::size_t>{3, 4, 5, 6, 7, 8, 9}));
    EXPECT_TRUE(range.begin() == range.end());
    EXPECT_EQ(range.summary(), "10 of 10 requests done in 0s, with 10 attempts: succeeded 10");
}

TEST(all, a_stop_ends_each_of_5_requests_that_were_read_once) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503).reply_after(60s, 200).forever();
    fake.stop_at(5s, source);
    auto range = fake.all(counting_urls(1'000, std::make_shared<int>(0)), {.interval = 20s, .stop = source.get_token()},
                          {.max_in_flight = 4});
    EXPECT_EQ(lines_of(std::move(range)),
              (lines{"0: 503", "0: stopped!", "1: stopped!", "2: stopped!", "3: stopped!", "4: stopped!"}));
    EXPECT_EQ(fake.now(), 5s);
    EXPECT_EQ(fake.requests().size(), 5U);
}

TEST(all, tells_of_a_stop_what_was_sent_and_which_attempt_never_was) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503).hang();
    fake.stop_at(5s, source);
    std::vector<r2::sent> sent;
    std::vector<int> numbers;
    std::vector<std::string> messages;
    for (auto& a : fake.all(urls{"http://a.test/", "http://b.test/"}, {.interval = 20s, .stop = source.get_token()})) {
        sent.push_back(a.error().sent());
        numbers.push_back(a.number());
        if (a.error()) messages.push_back(a.error().message());
    }
    EXPECT_EQ(sent, (std::vector{r2::sent::no, r2::sent::no, r2::sent::maybe}));
    EXPECT_EQ(numbers, (std::vector{1, 2, 1}));
    EXPECT_EQ(messages, (lines{"stopped: before attempt 2", "stopped: before the response was complete"}));
}

TEST(all, lets_what_is_in_flight_finish_in_the_grace_and_starts_nothing_in_it) {
    fake_client fake;
    std::stop_source source;
    fake.reply_after(10s, 200).reply_after(30s, 200);
    fake.stop_at(5s, source);
    EXPECT_EQ(lines_of(fake.all(counting_urls(9, std::make_shared<int>(0)),
                                {.stop = source.get_token(), .stop_grace = 10s}, {.max_in_flight = 2})),
              (lines{"0: 200!", "1: stopped!"}));
    EXPECT_EQ(fake.now(), 15s);
}

TEST(all, has_1_deadline_from_the_first_pull_for_what_is_in_flight_waiting_or_in_line) {
    fake_client fake;
    fake.reply(503).reply_after(60s, 200).forever();
    fake.advance(7s);
    EXPECT_EQ(lines_of(fake.all(counting_urls(1'000, std::make_shared<int>(0)), {.interval = 2s, .deadline = 10s},
                                {.max_in_flight = 2})),
              (lines{"0: 503", "1: timeout!", "0: timeout!", "2: timeout!"}));
    EXPECT_EQ(fake.now(), 17s);
}

TEST(all, gives_up_4_requests_in_the_order_in_which_they_were_read) {
    fake_client fake;
    std::stop_source source;
    fake.reply(503).reply(503).hang();
    fake.stop_at(5s, source);
    const urls targets{"http://a.test/", "http://b.test/", "http://c.test/", "http://c.test/", "http://c.test/"};
    EXPECT_EQ(lines_of(fake.all(targets, {.interval = 20s, .stop = source.get_token()}, {.max_per_host = 1})),
              (lines{"0: 503", "1: 503", "0: stopped!", "1: stopped!", "3: stopped!", "4: stopped!", "2: stopped!"}));
}

TEST(all, has_its_deadline_for_1_request_in_line_behind_a_guards_wait) {
    fake_client fake;
    fake.reply(200).hang();
    const auto limiter = std::make_shared<r2::rate_limiter>(r2::rate_limiter_options{.permits = 1, .per = 30s});
    EXPECT_EQ(
        lines_of(fake.all(urls(3, "http://a.test/"), {.deadline = 40s, .guards = {limiter}}, {.max_per_host = 1})),
        (lines{"0: 200!", "1: timeout!", "2: timeout!"}));
    EXPECT_EQ(fake.now(), 40s);
}

TEST(all, reads_1000_requests_ahead_of_a_full_host_and_no_more) {
    fake_client fake;
    fake.reply_after(1s, 200).forever();
    const auto read = std::make_shared<int>(0);
    auto range = fake.all(counting_urls(1'000'000, read), {}, {.max_in_flight = 4, .max_per_host = 1});
    EXPECT_EQ(range.begin()->job(), 0U);
    EXPECT_EQ(*read, 1001);
}

/// Lets each request wait for 1 s.
struct waiting_guard final : r2::guard {
    r2::admission admit(const r2::request&, int, r2::time_point) override { return r2::admission::wait(1s); }
};

TEST(all, looks_for_a_stop_after_16_starts) {
    for (const bool first : {false, true}) {
        fake_client fake;
        std::stop_source source;
        int before = first ? 0 : 40;
        fake.reply_with([&](const r2::request&) {
                if (--before >= 0) return 503;
                source.request_stop();
                return 200;
            })
            .forever();
        r2::options o{.interval = 1s, .stop = source.get_token()};
        if (first) o.guards = {std::make_shared<waiting_guard>()};
        std::size_t done = 0;
        for (auto& a : fake.all(counting_urls(40, std::make_shared<int>(0)), o)) done += a.is_last();
        EXPECT_EQ(fake.requests().size(), first ? 16U : 40U + 16U);
        EXPECT_EQ(done, 40U);
    }
}

TEST(all, yields_each_of_3_attempts_that_wait_for_a_guard_and_then_are_over_at_once) {
    fake_client fake;
    EXPECT_EQ(lines_of(fake.all(counting_urls(3, std::make_shared<int>(0)),
                                {.before_attempt = [](r2::request&) { return r2::response{.status = 204}; },
                                 .guards = {std::make_shared<waiting_guard>()}})),
              (lines{"0: 204!", "1: 204!", "2: 204!"}));
    EXPECT_EQ(fake.now(), 1s);
}

TEST(all, a_full_host_doesnt_hold_up_another_and_hosts_take_turns) {
    fake_client fake;
    fake.reply_after(1s, 200).forever();
    urls mixed(6, "http://busy.test/");
    mixed.push_back("http://other.test/");
    EXPECT_EQ(lines_of(fake.all(mixed, {}, {.max_in_flight = 3, .max_per_host = 2})),
              (lines{"0: 200!", "1: 200!", "6: 200!", "2: 200!", "3: 200!", "4: 200!", "5: 200!"}));
    EXPECT_EQ(fake.now(), 3s);
}

TEST(all, a_request_that_always_fails_holds_up_none_of_20_others) {
    fake_client fake;
    fake.reply_with([](const r2::request& q) { return q.url.ends_with("/0") ? 503 : 200; }).forever();
    std::size_t attempts_of_0 = 0, done = 0;
    std::vector<std::size_t> turns;
    for (auto&& a : fake.all(counting_urls(21, std::make_shared<int>(0)), {.interval = 1ns}, {.max_in_flight = 1})) {
        attempts_of_0 += a.job() == 0;
        turns.push_back(a.job());
        if (a.is_last() && ++done == 20) break;
        fake.advance(1ms);
    }
    EXPECT_EQ(done, 20U);
    EXPECT_GE(attempts_of_0, 19U) << "nor do they hold it up";
    EXPECT_EQ(std::vector(turns.begin(), turns.begin() + 5), (std::vector<std::size_t>{0, 0, 0, 1, 0}));
}

TEST(all, what_was_complete_in_time_isnt_late_because_the_loop_is_slow) {
    fake_client fake;
    fake.reply(200).reply_after(500ms, 200).hang();
    lines seen;
    for (auto&& [job, res, err] :
         fake.all(counting_urls(3, std::make_shared<int>(0)), {.max_attempts = 1, .timeout = 1s})) {
        seen.push_back(std::to_string(job) + (res ? " ok" : " " + err.message()));
        fake.advance(5s);
    }
    EXPECT_EQ(seen, (lines{"0 ok", "1 ok", "2 timeout: no complete response within 1s"}));
}

TEST(all, shares_1_guard_whose_refusals_and_cancels_are_told) {
    struct counter : r2::guard {
        int admitted = 0, recorded = 0, cancelled = 0;
        r2::admission admit(const r2::request& q, int, r2::time_point) override {
            if (q.url.ends_with("/2")) return r2::admission::refuse("not this one");
            ++admitted;
            return q.url.ends_with("/1") ? r2::admission::wait(10s) : r2::admission();
        }
        void record(const r2::attempt&, r2::time_point) override { ++recorded; }
        void cancel(const r2::request&, r2::time_point) override { ++cancelled; }
    };
    const auto guard = std::make_shared<counter>();
    fake_client fake;
    fake.reply(200).forever();
    EXPECT_EQ(lines_of(fake.all(counting_urls(4, std::make_shared<int>(0)), {.guards = {nullptr, guard}})),
              (lines{"2: refused!", "0: 200!", "3: 200!", "1: 200!"}));
    EXPECT_EQ(guard->admitted, 3);
    EXPECT_EQ(guard->recorded, 3);

    {
        auto range = fake.all(counting_urls(4, std::make_shared<int>(0)), {.guards = {guard}});
        EXPECT_EQ(range.begin()->job(), 2U);
    }  // two are in flight or in line and one waits
    EXPECT_EQ(guard->cancelled + guard->recorded, guard->admitted);
}

TEST(all, what_the_users_callables_throw_comes_out_and_ends_it) {
    const auto ends_with_7 = [](fake_client& fake, const r2::options& o) {
        auto range = fake.all(counting_urls(5, std::make_shared<int>(0)), o, {.max_in_flight = 3});
        EXPECT_THROW(
            {
                for (auto& a : range) static_cast<void>(a);
            },
            int);
        EXPECT_TRUE(range.begin() == range.end());
        EXPECT_EQ(range.progress().in_flight, 0U);
    };
    fake_client fake;
    fake.reply(200).forever();
    ends_with_7(fake, {.terminate_if = [](const r2::response&) -> bool { throw 7; }});
    ends_with_7(fake, {.before_attempt = [](r2::request& q) {
                    if (q.url.ends_with("/2")) throw 7;
                }});
    ends_with_7(fake, {.after_attempt = [](const r2::request&, r2::attempt&) { throw 7; }});
    ends_with_7(fake, {.on_attempt = [](const r2::request&, const r2::attempt&) { throw 7; }});
}

TEST(all, answers_of_before_attempt_take_no_transfer) {
    fake_client fake;
    auto range = fake.all(counting_urls(3, std::make_shared<int>(0)),
                          {.before_attempt = [](r2::request&) { return r2::response{.status = 204}; }});
    EXPECT_EQ(lines_of(std::move(range)), (lines{"0: 204!", "1: 204!", "2: 204!"}));
    EXPECT_TRUE(fake.requests().empty());
}

TEST(all, comes_to_its_end_with_100_requests_of_which_none_takes_a_transfer) {
    fake_client fake;
    auto range = fake.all(counting_urls(100, std::make_shared<int>(0)),
                          {.before_attempt = [](r2::request&) { return r2::response{.status = 204}; }});
    EXPECT_EQ(lines_of(std::move(range)).size(), 100U);
}

/// Has no transports.
struct none : r2::detail::transport_pool {
    std::unique_ptr<r2::detail::transport> take() override {
        ++asked;
        return nullptr;
    }
    void give_back(std::unique_ptr<r2::detail::transport>) noexcept override {}
    r2::detail::latency_log& latencies() noexcept override { return log; }
    r2::detail::latency_log log;
    int asked = 0;
};

TEST(scheduler, asks_the_pool_for_no_transport_after_its_end) {
    const auto pool = std::make_shared<none>();
    r2::detail::scheduler s(pool, [] { return std::nullopt; }, {}, {});
    EXPECT_EQ(s.next(), nullptr);
    EXPECT_EQ(s.next(), nullptr);
    EXPECT_EQ(pool->asked, 1);
}

TEST(all, yields_an_error_for_each_of_2_requests_without_an_engine) {
    struct poor_client : r2::client {
        poor_client() : client(on_transports(), std::make_shared<none>()) {}
    };
    EXPECT_EQ(lines_of(poor_client().all(urls{"http://a.test/", "http://b.test/"})),
              (lines{"0: local failure!", "1: local failure!"}));

    int own = 0;
    std::stop_source source;
    const auto count_and_stop = [&](const r2::request&, const r2::attempt&) { own += source.request_stop(); };
    const std::vector<std::pair<std::string, r2::options>> pairs(3, {"http://a.test/", {.on_attempt = count_and_stop}});
    EXPECT_EQ(lines_of(poor_client().all(pairs, {.stop = source.get_token()})), lines{"0: local failure!"});
    EXPECT_EQ(own, 1);
    EXPECT_EQ(lines_of(poor_client().all(pairs, {.stop = source.get_token()})), lines{"0: local failure!"})
        << "the stop came before the first pull";
}

TEST(all, asks_a_breaker_when_a_request_has_its_turn_and_so_stops_at_10_failures) {
    fake_client fake;
    fake.reply_after(10ms, 503).forever();
    const auto breaker = std::make_shared<r2::circuit_breaker>(r2::circuit_breaker_options{});
    auto range =
        fake.all(urls(200, "http://host.test/"), {.max_attempts = 1, .guards = {breaker}}, {.max_per_host = 2});
    for (auto& a : range) static_cast<void>(a);
    EXPECT_LE(fake.requests().size(), 11U) << "one more may be in flight";
    EXPECT_GE(range.count(ended::refused), 189U);
}

TEST(all, keeps_the_rate_of_a_limiter_and_reads_no_more_than_has_a_turn) {
    fake_client fake;
    fake.reply(200).forever();
    const auto read = std::make_shared<int>(0);
    const auto limiter = std::make_shared<r2::rate_limiter>(r2::rate_limiter_options{.permits = 1});
    std::vector<r2::duration> starts;
    auto range = fake.all(counting_urls(1'000'000, read), {.guards = {limiter}}, {.max_in_flight = 3});
    for (auto& a : range) {
        starts.push_back(fake.now());
        EXPECT_LE(*read, static_cast<int>(a.job()) + 4);
        if (starts.size() == 4) break;
    }
    EXPECT_EQ(starts, (std::vector<r2::duration>{0s, 1s, 2s, 3s}));
}

TEST(all, a_hanging_request_is_timed_out_however_many_others_are_complete) {
    fake_client fake;
    fake.hang().reply(200).forever();
    std::size_t turn = 0;
    for (auto& a : fake.all(counting_urls(1'000, std::make_shared<int>(0)), {.max_attempts = 1, .timeout = 5s},
                            {.max_in_flight = 4})) {
        ++turn;
        if (a.job() == 0) break;
        fake.advance(1s);
    }
    EXPECT_LE(turn, 11U) << "5 s, and no more than what was in flight then";
}

TEST(all, is_at_its_end_after_it_threw_or_was_moved_from) {
    fake_client fake;
    fake.reply(200).forever();
    auto range = fake.all(counting_urls(9, std::make_shared<int>(0)),
                          {.on_attempt = [](const r2::request&, const r2::attempt& a) {
                              if (a.sends() > 0) throw 7;
                          }});
    EXPECT_THROW(static_cast<void>(range.begin() == range.end()), int);
    EXPECT_TRUE(range.begin() == range.end());

    auto first = fake.all(counting_urls(9, std::make_shared<int>(0)));
    EXPECT_FALSE(first.begin() == first.end());
    auto second = std::move(first);
    EXPECT_TRUE(first.begin() == first.end());
    EXPECT_EQ(second.begin()->job(), 0U);
}

TEST(all, a_stop_before_the_first_pull_is_1_attempt_with_an_error) {
    fake_client fake;
    std::stop_source source;
    source.request_stop();
    const auto read = std::make_shared<int>(0);
    EXPECT_EQ(lines_of(fake.all(counting_urls(9, read), {.stop = source.get_token()})), lines{"0: stopped!"});
    EXPECT_EQ(*read, 1);
    EXPECT_TRUE(fake.requests().empty());
}

/// The outcome of an attempt, from its URL and number alone: other requests have no influence.
r2::outcome fate(std::uint64_t seed, const std::string& url, int number) {
    r2::detail::splitmix64 luck(seed * 1'000'003 + std::hash<std::string>()(url) + static_cast<std::uint64_t>(number));
    const std::vector<r2::outcome> fates{
        200,
        503,
        503,
        404,
        errc::timeout,
        errc::connect,
        r2::response{.status = 429, .headers = {{"Retry-After", std::to_string(luck.next() % 4)}}}};
    return fates[luck.next() % fates.size()];
}

TEST(all, makes_of_each_of_many_requests_what_a_range_of_its_own_makes_of_it) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        r2::detail::splitmix64 luck(seed);
        const auto up_to = [&](int n) { return static_cast<int>(luck.next() % static_cast<std::uint64_t>(n + 1)); };
        r2::options o{.max_attempts = up_to(4) + 1, .interval = up_to(1) * 1s};
        const r2::concurrency limits{.max_in_flight = up_to(5), .max_per_host = up_to(3)};
        urls all;
        for (int i = up_to(12); i >= 0; --i)
            all.push_back("http://h" + std::to_string(up_to(3)) + ".test/" + std::to_string(i));
        const auto play = [&](fake_client& fake, std::map<std::string, int>& tries) {
            fake.reply_with([&](const r2::request& q) { return fate(seed, q.url, ++tries[q.url]); }).forever();
        };

        std::vector<lines> courses(all.size());
        std::map<std::string, int> tries;
        fake_client fake;
        play(fake, tries);
        std::set<std::size_t> over;
        auto range = fake.all(all, o, limits);
        for (auto& a : range) {
            const auto p = range.progress();
            EXPECT_LE(p.in_flight, limits.max_in_flight > 0 ? std::size_t(limits.max_in_flight) : p.in_flight);
            EXPECT_EQ(p.read, p.in_flight + p.waiting + p.done);
            EXPECT_FALSE(over.contains(a.job())) << "seed " << seed;
            if (a.is_last()) over.insert(a.job());
            courses[a.job()].push_back(std::to_string(a.number()) + " " + r2::to_string(a.wait()) + " " +
                                       std::string(to_string(a.ended())));
        }
        EXPECT_EQ(over.size(), all.size()) << "seed " << seed;

        for (std::size_t i = 0; i < all.size(); ++i) {
            std::map<std::string, int> own_tries;
            fake_client own;
            play(own, own_tries);
            lines execution;
            for (auto& a : own.get(all[i], o))
                execution.push_back(std::to_string(a.number()) + " " + r2::to_string(a.wait()) + " " +
                                    std::string(to_string(a.ended())));
            EXPECT_EQ(courses[i], execution) << "seed " << seed << ", " << all[i];
        }
    }
}

TEST(all, ends_each_request_that_was_read_once_whenever_it_is_stopped) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        r2::detail::splitmix64 luck(seed);
        fake_client fake;
        std::stop_source source;
        fake.reply_with([&](const r2::request&) { return luck.next() % 2 ? 503 : 200; });
        for (int i = 0; i < 60; ++i)
            fake.reply_after(r2::duration(luck.next() % 3'000'000'000), luck.next() % 3 ? 503 : 200);
        fake.reply(200).forever();
        fake.stop_at(r2::duration(luck.next() % 8'000'000'000), source);
        r2::options o{.max_attempts = 5, .interval = 1s, .stop = source.get_token()};
        if (luck.next() % 2) o.stop_grace = 500ms;
        if (luck.next() % 2) o.timeout = 2s;
        if (luck.next() % 3 == 0) o.deadline = 4s;

        const auto read = std::make_shared<int>(0);
        auto range = fake.all(counting_urls(30, read), o, {.max_in_flight = 5});
        std::map<std::size_t, int> lasts;
        for (auto& a : range) {
            EXPECT_EQ(lasts[a.job()], 0) << "seed " << seed << ", job " << a.job();
            lasts[a.job()] += a.is_last();
            EXPECT_LE(fake.now(), 8s + 500ms) << "seed " << seed;
        }
        EXPECT_EQ(lasts.size(), static_cast<std::size_t>(*read)) << "seed " << seed;
        for (const auto& [job, times] : lasts) EXPECT_EQ(times, 1) << "seed " << seed << ", job " << job;
    }
}

}  // namespace
