#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "curl/fixture.hpp"
#include "support/http2.hpp"
#include "support/leftovers.hpp"
#include "support/nginx.hpp"
#include "support/relay.hpp"

// Every fault of the network meets every kind of request: alone, among others and hedged. r2's report must agree with
// what the server saw.

namespace {

using namespace r2::testkit;

enum class verb { get, post, put };
enum class connection { fresh, reused };

struct kind_of_request {
    verb method;
    connection on;
    r2::replay replay;
    bool keyed;

    bool idempotent() const { return method != verb::post || keyed; }
};

/// A server with a fault.
class place {
public:
    virtual ~place() = default;
    virtual std::string url() const = 0;
    virtual r2::client_options settings() const { return {}; }
    /// Starts the fault, if it is not there from the beginning.
    virtual void break_now() {}
    /// The number of requests that the server saw begin; null if it can't know.
    virtual std::optional<std::size_t> seen(std::size_t expected) = 0;
    /// Whether several requests share a connection at a time. Then a fault of one ends the others too.
    virtual bool multiplexes() const { return false; }
    /// Whether the next request of the client gets a good response.
    virtual bool recovers() const { return false; }
};

enum class nature { passes, final };

struct fault_case {
    std::string name;
    /// The kinds of error that may be reported. None: a response comes all the same.
    std::vector<r2::errc> kinds;
    nature is;
    std::function<std::unique_ptr<place>(connection)> make;

    bool transient() const { return is == nature::passes; }
    /// Whether only the timeout ends it.
    bool lasts() const { return kinds == std::vector{r2::errc::timeout}; }
};

/// A fault of a scripted server.
class on_server : public place {
public:
    std::string url() const override { return s.url(); }
    std::optional<std::size_t> seen(std::size_t expected) override {
        s.wait_until_begun(expected, patience);
        return s.begun();
    }
    server s;
};

/// A server with bad responses; on a reused connection, from the second one on.
class bad_responses : public on_server {
public:
    bad_responses(connection on, const answer& bad) {
        if (on == connection::reused) s.script({reply(200, "good")});
        s.default_answer(bad);
    }
};

/// A server that sends more after a good response. That must not become the response of another request.
class too_much : public bad_responses {
public:
    using bad_responses::bad_responses;
    bool recovers() const override { return true; }
};

/// A server with bad connections. A reused one ends when the next request comes, or within it.
class connections : public on_server {
public:
    connections(connection on, const fault& bad, const answer& last_good) {
        s.on_every_connection(bad);
        if (on == connection::fresh) return;
        s.on_connection(1, fault::none());
        s.script({last_good});
    }
};

/// A server that resets before it reads: nobody can count the requests.
class resets_at_once : public connections {
public:
    explicit resets_at_once(connection on)
        : connections(on, fault::reset_on_accept(), reply(200, "good").reset_at_next_request()) {}
    std::optional<std::size_t> seen(std::size_t) override { return std::nullopt; }
};

class refuses : public on_server {
public:
    explicit refuses(connection on) {
        s.script({reply(200, "good").close_at_next_request()});
        if (on == connection::fresh) s.refuse();
    }
    void break_now() override { s.refuse(); }
};

/// A TLS server that a relay replaces with a bad one, or with an alert.
class impostor : public place {
public:
    impostor(connection on, std::uint16_t port) : bad_(port), relay_(nginx::shared().https_port()) {
        if (on == connection::fresh) relay_.lead_to(bad_);
    }
    std::string url() const override { return "https://127.0.0.1:" + std::to_string(relay_.port()) + "/hello"; }
    r2::client_options settings() const override {
        return {.ca_file = nginx::shared().ca_file(), .http_version = r2::http_version::http1_1};
    }
    void break_now() override { relay_.lead_to(bad_); }
    std::optional<std::size_t> seen(std::size_t) override { return relay_.ended(); }

private:
    std::uint16_t bad_;
    relay relay_;
};

std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

class on_http2 : public place {
public:
    on_http2(connection on, http2_server::answer bad)
        : s(nginx::shared().certificate_file(), nginx::shared().key_file(), bad) {
        if (on == connection::reused) s.on_request(1, http2_server::answer::ok);
    }
    std::string url() const override { return s.url(); }
    r2::client_options settings() const override { return {.ca_file = nginx::shared().ca_file()}; }
    std::optional<std::size_t> seen(std::size_t) override { return s.begun(); }
    bool multiplexes() const override { return true; }

private:
    http2_server s;
};

template <class Place, class... Args> std::function<std::unique_ptr<place>(connection)> at(Args... args) {
    return [=](connection on) { return std::make_unique<Place>(on, args...); };
}

// clang-format off
const std::vector<fault_case>& all_faults() {
    using enum r2::errc;
    using enum nature;
    const answer good = reply(200, "good");
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string field = "X-Field: " + std::string(1000, 'x') + "\r\n";
    const std::string informational = "HTTP/1.1 102 Processing\r\n" + field + "\r\n";
    constexpr std::uint64_t without_end = 1U << 30;
    static const std::vector<fault_case> all = {
        {"refused", {connect}, passes, at<refuses>()},
        {"reset on accept", {disconnected, connect}, passes, at<resets_at_once>()},
        {"closed on accept", {disconnected}, passes,
         at<connections>(fault::close_on_accept(), good.close_at_next_request())},
        {"reset in the request", {disconnected}, passes,
         at<connections>(fault::reset_in_request(10), good.reset_in_next_request(10))},
        {"closed before the head", {disconnected}, passes, at<bad_responses>(nothing().close())},
        {"reset before the head", {disconnected}, passes, at<bad_responses>(nothing().reset())},
        {"head cut in the status line", {disconnected}, passes, at<bad_responses>(raw("HTTP/1.1 20").close())},
        {"head cut in the fields", {disconnected}, passes, at<bad_responses>(raw(head + "Content-Len").close())},
        {"body cut short of Content-Length", {disconnected}, passes,
         at<bad_responses>(raw(head + "Content-Length: 10\r\n\r\n12345").close())},
        {"chunked body cut", {disconnected}, passes,
         at<bad_responses>(raw(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n123").close())},
        {"chunk size garbage", {disconnected}, passes,
         at<bad_responses>(raw(head + "Transfer-Encoding: chunked\r\n\r\nzzz\r\n123\r\n0\r\n\r\n"))},
        {"HTTP/0.9 garbage", {protocol}, passes, at<bad_responses>(raw("what do you want?\r\n").close())},
        {"100-continue then silence", {timeout}, passes, at<bad_responses>(raw("HTTP/1.1 100 Continue\r\n\r\n").hang())},
        {"two responses at once", {}, final, at<too_much>(good.then(reply(200, "stray")))},
        {"endless head", {too_large}, final, at<bad_responses>(raw(head).repeat(field, without_end))},
        {"endless 1xx", {too_large}, final, at<bad_responses>(nothing().repeat(informational, without_end))},
        {"Content-Length lies", {}, final, at<too_much>(raw(head + "Content-Length: 4\r\n\r\ngood and more"))},
        {"bad gzip", {protocol}, final, at<bad_responses>(reply(200, "this is no gzip", {{"Content-Encoding", "gzip"}}))},
        {"silence", {timeout}, passes, at<bad_responses>(nothing().hang())},
        {"trickle", {timeout}, passes, at<bad_responses>(reply(200, std::string(10'000, 't')).trickle(1, 5ms))},
        {"TLS alert", {tls}, final, at<impostor>(relay::alert)},
        {"expired certificate", {tls}, final,
         [](connection on) { return std::make_unique<impostor>(on, port_of(nginx::shared().expired(""))); }},
        {"wrong host", {tls}, final,
         [](connection on) { return std::make_unique<impostor>(on, port_of(nginx::shared().wrong_host(""))); }},
        {"HTTP2 GOAWAY", {protocol}, passes, at<on_http2>(http2_server::answer::goaway)},
        {"HTTP2 REFUSED_STREAM", {disconnected}, passes, at<on_http2>(http2_server::answer::refused_stream)},
        {"HTTP2 RST_STREAM INTERNAL_ERROR", {disconnected}, passes,
         at<on_http2>(http2_server::answer::internal_error)},
    };
    return all;
}
// clang-format on

using parameters = std::tuple<std::size_t, verb, connection, r2::replay, bool>;

class faults : public testing::TestWithParam<parameters> {
protected:
    static constexpr int max_attempts = 2;
    static constexpr r2::duration short_limit = 40ms;

    const fault_case& fault_ = all_faults()[std::get<0>(GetParam())];
    const kind_of_request kind_{std::get<1>(GetParam()), std::get<2>(GetParam()), std::get<3>(GetParam()),
                                std::get<4>(GetParam())};

    static const std::string& file() {
        static const temporary_directory d;
        static const std::string path = d.file("body", all_bytes(200'000));
        return path;
    }

    r2::request request_to(const std::string& url) const {
        switch (kind_.method) {
            case verb::get:
                return {.url = url};
            case verb::post:
                return {.method = "POST", .url = url, .body = "the order"};
            default:
                return {.method = "PUT", .url = url, .body = r2::body::file(file())};
        }
    }

    r2::options policy() const {
        r2::options o = quick({.max_attempts = max_attempts, .replay = kind_.replay});
        if (fault_.lasts()) o.timeout = short_limit;
        if (kind_.keyed) o.idempotency_key = "one-and-only";
        return o;
    }

    /// The end that the rules demand for an attempt without a response.
    r2::ended expected_end(int number, bool sent) const {
        if (!fault_.transient()) return r2::ended::not_retryable;
        if (sent && kind_.replay == r2::replay::when_safe && !kind_.idempotent()) return r2::ended::unsafe_to_replay;
        return number == max_attempts ? r2::ended::exhausted : r2::ended::not_yet;
    }

    void check(const r2::attempt& a) const {
        SCOPED_TRACE("attempt " + std::to_string(a.number()) + ": " + a.error().message());
        const int copies = std::max(1, static_cast<int>(a.copies().size()));
        EXPECT_LE(a.sends(), kind_.idempotent() ? 2 * copies : 1) << "on the wire twice within an attempt";
        if (fault_.kinds.empty()) {
            ASSERT_EQ(status_of(a), 200);
            EXPECT_EQ(a.response()->body, "good");
            EXPECT_EQ(a.ended(), r2::ended::succeeded);
            return;
        }
        EXPECT_EQ(status_of(a), 0);
        EXPECT_NE(std::find(fault_.kinds.begin(), fault_.kinds.end(), a.error().kind()), fault_.kinds.end());
        EXPECT_EQ(a.error().sent(), a.sends() > 0 ? r2::sent::maybe : r2::sent::no);
        EXPECT_EQ(a.error().transient(), fault_.transient());
        EXPECT_EQ(a.ended(), expected_end(a.number(), a.sends() > 0));
        EXPECT_GE(a.elapsed(), fault_.lasts() ? short_limit : r2::duration{});
        EXPECT_LT(a.elapsed(), patience / 2) << "where nothing but that limit is to end it";
    }

    /// Makes one good request if a connection is to be reused, and counts it. Returns false if it failed.
    bool warm_up(place& p, const r2::client& c, std::size_t& sends) const {
        if (kind_.on == connection::fresh) return true;
        const r2::attempt first = c.get(p.url(), quick()).finish();
        EXPECT_EQ(status_of(first), 200) << first.error().message();
        // The impostor counts only the connections after this.
        sends = p.seen(1).value_or(0);
        p.break_now();
        return status_of(first) == 200;
    }

    static void expect_recovery(const place& p, const r2::client& c) {
        if (!p.recovers()) return;
        const r2::attempt next = c.get(p.url(), quick()).finish();
        ASSERT_EQ(status_of(next), 200) << next.error().message();
        EXPECT_EQ(next.response()->body, "good") << "and not the rest of the response before";
    }

    void run() const {
        const auto p = fault_.make(kind_.on);
        const r2::client c(p->settings());
        std::size_t sends = 0;
        ASSERT_TRUE(warm_up(*p, c, sends));
        int attempts = 0, with_sends = 0;
        for (const r2::attempt& a : c.send(request_to(p->url()), policy())) {
            EXPECT_EQ(a.number(), ++attempts);
            check(a);
            sends += static_cast<std::size_t>(a.sends());
            with_sends += a.sends() > 0;
        }
        EXPECT_GE(attempts, 1);
        EXPECT_LE(with_sends, kind_.idempotent() || kind_.replay == r2::replay::always ? max_attempts : 1);
        EXPECT_EQ(p->seen(sends).value_or(sends), sends) << "what the server saw";
        expect_recovery(*p, c);
    }

    /// Runs it among good requests to another server.
    void run_in_company() const {
        server other;
        other.default_answer(reply(200, "unharmed"));
        const auto p = fault_.make(kind_.on);
        const r2::client c(p->settings());
        std::size_t sends = 0;
        ASSERT_TRUE(warm_up(*p, c, sends));
        constexpr std::size_t faulty = 1;
        std::vector<std::pair<r2::request, r2::options>> jobs(4, {{.url = other.url()}, quick()});
        jobs[faulty] = {request_to(p->url()), policy()};
        std::vector<int> attempts(jobs.size()), lasts(jobs.size());
        for (const r2::job_attempt& a : c.all(jobs, {}, {.max_per_host = 2})) {
            EXPECT_EQ(a.number(), ++attempts[a.job()]);
            lasts[a.job()] += a.is_last();
            if (a.job() == faulty) {
                check(a);
                sends += static_cast<std::size_t>(a.sends());
                continue;
            }
            ASSERT_EQ(status_of(a), 200) << a.error().message();
            EXPECT_EQ(a.response()->body, "unharmed");
            EXPECT_EQ(a.sends(), 1);
        }
        EXPECT_EQ(lasts, std::vector<int>(jobs.size(), 1)) << "each has one last attempt";
        EXPECT_EQ(p->seen(sends).value_or(sends), sends) << "what the server saw";
        EXPECT_EQ(other.request_count(), jobs.size() - 1);
        expect_recovery(*p, c);
    }

    /// Runs it with one hedged copy. The server may never see the request of a copy that lost.
    void run_hedged(r2::duration after) const {
        const auto p = fault_.make(kind_.on);
        const r2::client c(p->settings());
        std::size_t least = 0;
        ASSERT_TRUE(warm_up(*p, c, least));
        std::size_t most = least;
        r2::options o = policy();
        o.hedge = {.copies = 1, .after = after};
        for (const r2::attempt& a : c.send(request_to(p->url()), o)) {
            check(a);
            most += static_cast<std::size_t>(a.sends());
            if (kind_.method == verb::post) {
                EXPECT_TRUE(a.copies().empty()) << "a POST was hedged";
                least += static_cast<std::size_t>(a.sends());
                continue;
            }
            ASSERT_FALSE(a.copies().empty());
            EXPECT_LE(a.copies().size(), 2U);
            int sends = 0, won = 0;
            for (const r2::hedged_copy& each : a.copies()) {
                sends += each.sends;
                won += each.became == r2::hedged_copy::fate::won;
                if (each.became != r2::hedged_copy::fate::lost) least += static_cast<std::size_t>(each.sends);
                if (each.error) {
                    EXPECT_EQ(each.error.sent(), each.sends > 0 ? r2::sent::maybe : r2::sent::no)
                        << each.error.message();
                }
            }
            EXPECT_EQ(a.sends(), sends);
            EXPECT_EQ(won, fault_.transient() ? 0 : 1);
        }
        const std::size_t seen = p->seen(least).value_or(least);
        if (!p->multiplexes()) {
            EXPECT_GE(seen, least) << "what the server saw";
        }
        EXPECT_LE(seen, most) << "what the server saw";
        expect_recovery(*p, c);
    }
};

TEST_P(faults, of_every_kind_are_reported_as_the_server_saw_them) {
    expect_nothing_left_by([this] { run(); });
}

class faults_in_company : public faults {};

TEST_P(faults_in_company, of_every_kind_harm_none_of_3_other_requests) {
    expect_nothing_left_by([this] { run_in_company(); });
}

class faults_of_hedged : public faults {};

TEST_P(faults_of_hedged, attempts_of_every_kind_are_reported_as_the_server_saw_them) {
    for (const r2::duration after : {0ms, 2ms}) expect_nothing_left_by([&] { run_hedged(after); });
}

std::vector<std::size_t> numbers_of_faults() {
    std::vector<std::size_t> all(all_faults().size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
}

std::string name_of(const testing::TestParamInfo<parameters>& info) {
    const auto& [number, method, on, replay, keyed] = info.param;
    std::string name = all_faults()[number].name;
    for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    constexpr std::array verbs{"_GET", "_POST", "_PUT"};
    return name + verbs[static_cast<std::size_t>(method)] + (on == connection::fresh ? "_fresh" : "_reused") +
           (replay == r2::replay::always ? "_always" : "_when_safe") + (keyed ? "_keyed" : "");
}

const auto every_fault = testing::ValuesIn(numbers_of_faults());
const auto every_verb = testing::Values(verb::get, verb::post, verb::put);
const auto every_connection = testing::Values(connection::fresh, connection::reused);

INSTANTIATE_TEST_SUITE_P(matrix, faults,
                         testing::Combine(every_fault, every_verb, every_connection,
                                          testing::Values(r2::replay::always, r2::replay::when_safe), testing::Bool()),
                         name_of);

INSTANTIATE_TEST_SUITE_P(matrix, faults_in_company,
                         testing::Combine(every_fault, every_verb, every_connection,
                                          testing::Values(r2::replay::when_safe), testing::Values(false)),
                         name_of);

INSTANTIATE_TEST_SUITE_P(matrix, faults_of_hedged,
                         testing::Combine(every_fault, every_verb, every_connection,
                                          testing::Values(r2::replay::always), testing::Values(false)),
                         name_of);

}  // namespace
