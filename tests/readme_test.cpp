#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <r2/r2.hpp>
#include <r2/testing.hpp>

#include "support/nginx.hpp"

// The code of README.md, compiled and run. The last test holds the two against each other.

// clang-format off
namespace {

using namespace std::chrono_literals;
using r2::testing::reply;

/// Captures the output of a program while it lives.
class printed {
public:
    printed() : out_(std::cout.rdbuf(text_.rdbuf())), err_(std::cerr.rdbuf(text_.rdbuf())) {}
    ~printed() {
        std::cout.rdbuf(out_);
        std::cerr.rdbuf(err_);
    }
    std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
    std::streambuf* out_;
    std::streambuf* err_;
};

/// The first page's own loop, to the letter; a server stands in for its URL through the default client's options.
TEST(readme, the_loop_of_the_first_page_compiles_as_it_stands) {
    [[maybe_unused]] const auto loop = [] {
for (auto&& [res, err] : r2::get("https://example.com/jobs/42", {.max_attempts = 5, .timeout = 1s})) {
    if (err) { std::cerr << err.message() << '\n'; continue; }   // this attempt got no response
    if (res->status != 200) continue;                              // got one, not the one we want
    std::cout << res->body << '\n';
}
    };
}

TEST(readme, the_loop_prints_errors_and_then_the_body) {
    r2::testing::server s;
    s.script({r2::testing::nothing().close(), reply(503), reply(200, "done")});
    const printed p;
    for (auto&& [res, err] : r2::get(s.url(), {.max_attempts = 5, .timeout = 10s, .interval = 1ms})) {
        if (err) { std::cerr << err.message() << '\n'; continue; }
        if (res->status != 200) continue;
        std::cout << res->body << '\n';
    }
    EXPECT_EQ(p.text(), "disconnected: the connection was closed before a response\ndone\n");
}

TEST(readme, polling_goes_on_until_the_condition_is_met) {
    r2::testing::server s;
    s.script({reply(200, R"({"state":"done"})")});
    const std::string url = s.url();
    const printed p;
const auto done = r2::status_is(200) && r2::body_contains(R"("state":"done")");
const r2::attempt last = r2::get(url, {.interval = 3s, .deadline = 2min, .terminate_if = done}).finish();
if (last.ended() == r2::ended::condition_met) std::cout << last.response()->body << '\n';
    EXPECT_EQ(p.text(), "{\"state\":\"done\"}\n");
}

TEST(readme, an_attempt_explains_itself) {
    r2::testing::server s;
    s.default_answer(reply(404));
    const printed p;
    const std::string url = s.url();
for (auto& a : r2::get(url, {.max_attempts = 3})) {
    auto&& [res, err] = a;
    std::cout << a.number() << ": " << (res ? std::to_string(res->status) : err.message()) << '\n';
}
    EXPECT_EQ(p.text(), "1: 404\n");
}

TEST(readme, a_post_has_a_key_or_is_not_replayed) {
    r2::testing::server s;
    s.script({reply(201), r2::testing::nothing().close()});
    const std::string url = s.url();
    std::ofstream("report.csv") << "a,b\n";
    const printed p;
for (auto&& [res, err] : r2::post(url, R"({"amount":5})", {.max_attempts = 4, .content_type = "application/json",
                                                           .idempotency_key = r2::fresh_key()})) {
    if (res && res->status < 300) std::cout << "paid\n";
}
for (auto&& [res, err] : r2::post(url, r2::body::file("report.csv"), {.replay = r2::replay::when_safe})) {
    if (err.sent() == r2::sent::maybe) std::cerr << "look before you repeat it: " << err.message() << '\n';
}
    std::remove("report.csv");
    EXPECT_TRUE(p.text().starts_with("paid\nlook before you repeat it: disconnected")) << p.text();
    ASSERT_EQ(s.request_count(), 2U);
    EXPECT_TRUE(s.requests()[0].headers.contains("Idempotency-Key"));
    EXPECT_EQ(s.requests()[1].body, "a,b\n");
}

TEST(readme, after_a_stop_1_cleanup_still_works) {
    r2::testing::server s;
    const std::string url = s.url();
    s.handle([](const r2::testing::recorded_request& q) {
        if (q.method == "POST") std::raise(SIGTERM);
        return reply(q.method == "POST" ? 503 : 204);
    });
r2::shutdown down({.grace = 2s, .cleanup = 5s});   // together less than Kubernetes' terminationGracePeriodSeconds
if (auto err = down.on_signal({SIGTERM, SIGINT})) std::cerr << err.message() << '\n';    // or call down.request()
const r2::options policy{.max_attempts = 3, .timeout = 5s};
while (!down.requested()) {
    const r2::attempt booked = r2::post(url, "{}", down.work(policy)).finish();
    if (booked.ended() != r2::ended::succeeded) r2::del(url, down.cleanup(policy)).finish();
}
    const auto log = s.requests();
    ASSERT_GE(log.size(), 2U);
    EXPECT_EQ(log.front().method, "POST");
    EXPECT_EQ(log.back().method, "DELETE");
}

TEST(readme, guards_are_shared_by_2_ranges) {
    r2::testing::server s;
const auto budget = r2::retry_budget::aws();   // also aws_legacy(), grpc(), ratio(0.1)
const auto breaker = std::make_shared<r2::circuit_breaker>(r2::circuit_breaker_options{.open_for = 8s});
const r2::options policy{.max_attempts = 3, .deadline = 5s, .guards = {budget, breaker}};
    s.script({reply(503), reply(200), reply(200)});
    r2::options quick = policy;
    quick.interval = 1ms;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(r2::get(s.url(), quick).finish().ended(), r2::ended::succeeded);
    EXPECT_EQ(budget->tokens(s.url()), 500);
}

TEST(readme, anything_is_retried_and_2_ways_tell_what_happened) {
    int calls = 0;
    const auto read_sensor = [&] { return ++calls < 2 ? "dust" : "21"; };
    const r2::testing::refusing_port nobody;
    const std::string url = nobody.url("/x?secret");
    printed p;
for (auto&& [value, err] : r2::retry([&] { return std::stoi(read_sensor()); }, {.max_attempts = 3, .interval = 1ms})) {
    if (value) std::cout << "it is " << *value << '\n';
}
    EXPECT_EQ(p.text(), "it is 21\n");
    const auto patient = [&](const r2::options& o) { r2::options quick = o; quick.interval = 1ms; return quick; };
    {
r2::journal journal;
r2::attempts range = r2::get(url, {.max_attempts = 3, .on_attempt = journal.observer()});
        range = r2::get(url, patient({.max_attempts = 3, .on_attempt = journal.observer()}));
if (range.finish().error()) std::cerr << range.summary() << '\n' << journal;
    }
    EXPECT_NE(p.text().find(": could not connect ×3; gave up: exhausted\n"), std::string::npos) << p.text();
    EXPECT_NE(p.text().find("/x?…"), std::string::npos) << p.text();
    EXPECT_EQ(p.text().find("secret"), std::string::npos);
}

TEST(readme, a_client_has_settings_of_its_own) {
    const std::string key = "k", url = r2::testkit::nginx::shared().http("/gzip");
    const printed p;
const r2::client api({.ca_file = "ca.pem", .secret_headers = {"X-Api-Key"}});
for (auto&& [res, err] : api.get(url, {.headers = {{"Accept-Encoding", "gzip"}, {"X-Api-Key", key}}})) {
    if (err) std::cerr << err.message() << '\n';
}
    EXPECT_EQ(p.text(), "");
}

TEST(readme, polls_3_jobs_in_one_loop) {
    r2::testing::server s;
    s.handle([](const r2::testing::recorded_request& q) { return reply(200, q.target + " done"); });
    const std::vector<std::string> urls{s.url("/1"), s.url("/2"), s.url("/3")};
    const auto done = r2::body_contains("done");
    const printed p;
for (auto& a : r2::all(urls, {.interval = 5s, .terminate_if = done}, {.max_in_flight = 256, .max_per_host = 32})) {
    auto&& [job, res, err] = a;        // job: which of the urls, from 0
    if (a.is_last()) std::cout << urls[job] << ": " << (res ? res->body : err.message()) << '\n';
}
    for (const char* each : {"/1: /1 done\n", "/2: /2 done\n", "/3: /3 done\n"})
        EXPECT_NE(p.text().find(each), std::string::npos) << p.text();
}

TEST(readme, a_copy_answers_for_1_request_that_is_slow) {
    r2::testing::server s;
    s.script({r2::testing::late(10s, reply(200, "slow")), reply(200, "fast")});
    const std::string url = s.url();
    const auto budget = r2::retry_budget::aws();
    const printed p;
for (auto&& [res, err] : r2::get(url, {.guards = {budget}, .hedge = {.copies = 1, .after = r2::percentile(0.95, 50ms)}})) {
    if (res) std::cout << res->body << '\n';
}
    EXPECT_EQ(p.text(), "fast\n");
}

std::string fetch_job(r2::options how) {
    const r2::attempt last = r2::get("https://example.com/jobs/42", how).finish();
    return last.response() ? last.response()->body : "";
}

TEST(readme, a_job_is_fetched_in_4_attempts_and_no_time) {
r2::testing::fake_client fake;
fake.reply(503).reply({.status = 429, .headers = {{"Retry-After", "7"}}}).fail(r2::errc::timeout).reply(200, "done");
EXPECT_EQ(fetch_job({.via = &fake}), "done");
EXPECT_EQ(fake.waits(), (std::vector<r2::duration>{1s, 7s, 4s}));   // jitter gets 0.5, unless fake.chance(u) or fake.seed(n)
EXPECT_EQ(fake.requests()[0].url, "https://example.com/jobs/42");
    const r2::options policy{.max_attempts = 3};
EXPECT_EQ(r2::decide(policy, 503, {.number = 3}).ended, r2::ended::exhausted);
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(readme, every_line_of_its_code_is_in_this_file) {
    const std::vector<std::string> source = lines_of(R2_SOURCE_DIR "/tests/readme_test.cpp");
    std::size_t checked = 0;
    bool code = false;
    for (const std::string& line : lines_of(R2_SOURCE_DIR "/README.md")) {
        if (line == "```cpp" || line == "```") {
            code = line == "```cpp";
            continue;
        }
        if (!code || line.empty()) continue;
        EXPECT_NE(std::find(source.begin(), source.end(), line), source.end()) << line;
        ++checked;
    }
    EXPECT_GT(checked, 25U);
}

TEST(readme, shows_the_plan_as_it_is_printed) {
    const printed p;
std::cout << r2::plan({.max_attempts = 5, .timeout = 10s});   // or plan(options, {503, r2::errc::timeout, 200})
    std::string all;
    for (const std::string& line : lines_of(R2_SOURCE_DIR "/README.md")) all += line + '\n';
    EXPECT_NE(all.find("```text\n" + p.text() + "```\n"), std::string::npos) << p.text();
}

TEST(readme, is_at_most_295_lines_with_the_loop_by_line_12) {
    const std::vector<std::string> lines = lines_of(R2_SOURCE_DIR "/README.md");
    EXPECT_LE(lines.size(), 295U);
    bool loop = false;
    for (std::size_t i = 0; i < 12; ++i) loop = loop || lines[i].starts_with("for (auto&& [res, err] : r2::get(");
    EXPECT_TRUE(loop);
}

}  // namespace
