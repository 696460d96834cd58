#include <gtest/gtest.h>

#include <r2/journal.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <r2/testing/fake_client.hpp>

namespace {

using namespace std::chrono_literals;
using r2::errc;
using r2::journal;
using r2::testing::fake_client;

constexpr auto url = "http://job.test/42";

/// Returns the recorded URL of one attempt at `target`.
std::string recorded_url(std::string target) {
    journal log;
    log.observer()({.url = std::move(target)}, r2::attempt(r2::response{.status = 200}));
    return log.entries().at(0).url;
}

std::string lines(const journal& log) {
    std::ostringstream out;
    log.json_lines(out);
    return out.str();
}

std::string table(const journal& log) {
    std::ostringstream out;
    out << log;
    return out.str();
}

/// Makes a journal on the clock of `fake`.
journal log_of(const fake_client& fake, std::size_t capacity = 1000) {
    return journal(capacity, [&fake] { return fake_client::wall_beginning + fake.now(); });
}

TEST(journal, has_2_entries_after_2_attempts) {
    fake_client fake;
    const journal log = log_of(fake);
    fake.fail_after(20ms, r2::error(errc::connect, "port is closed")).reply_after(30ms, 200);
    (void)fake.post(url, "{}", {.interval = 1s, .on_attempt = log.observer()}).finish();
    const auto entries = log.entries();
    ASSERT_EQ(entries.size(), 2U);

    EXPECT_EQ(entries[0].time, fake_client::wall_beginning + 20ms);
    EXPECT_EQ(entries[0].method, "POST");
    EXPECT_EQ(entries[0].url, url);
    EXPECT_EQ(entries[0].number, 1);
    EXPECT_EQ(entries[0].sends, 0);
    EXPECT_EQ(entries[0].status, 0);
    EXPECT_EQ(entries[0].error, errc::connect);
    EXPECT_EQ(entries[0].message, "could not connect: port is closed");
    EXPECT_EQ(entries[0].elapsed, 20ms);
    EXPECT_EQ(entries[0].ended, r2::ended::not_yet);
    EXPECT_EQ(entries[0].wait, 1s);
    EXPECT_EQ(entries[0].wait_from, r2::wait_source::interval);

    EXPECT_EQ(entries[1].time, fake_client::wall_beginning + 1050ms);
    EXPECT_EQ(entries[1].number, 2);
    EXPECT_EQ(entries[1].sends, 1);
    EXPECT_EQ(entries[1].status, 200);
    EXPECT_EQ(entries[1].error, errc{});
    EXPECT_EQ(entries[1].message, "");
    EXPECT_EQ(entries[1].elapsed, 30ms);
    EXPECT_EQ(entries[1].ended, r2::ended::succeeded);
    EXPECT_EQ(entries[1].wait, 0s);
    EXPECT_EQ(entries[1].wait_from, r2::wait_source::none);
}

TEST(journal, has_an_entry_for_a_range_that_sent_0_requests) {
    class closed : public r2::guard {
        r2::admission admit(const r2::request&, int, r2::time_point) override {
            return r2::admission::refuse("budget is spent");
        }
    };
    fake_client fake;
    const journal log;
    (void)fake.get(url, {.on_attempt = log.observer(), .guards = {std::make_shared<closed>()}}).finish();
    ASSERT_EQ(log.entries().size(), 1U);
    EXPECT_EQ(log.entries()[0].ended, r2::ended::refused);
    EXPECT_EQ(log.entries()[0].refusal, "budget is spent");
    EXPECT_NE(table(log).find("refused: budget is spent"), std::string::npos);
}

TEST(journal, of_capacity_3_keeps_the_newest_3_attempts) {
    fake_client fake;
    const journal log = log_of(fake, 3);
    for (int status = 501; status <= 505; ++status) fake.reply(status);
    (void)fake.get(url, {.max_attempts = 5, .interval = 1s, .on_attempt = log.observer()}).finish();
    const auto entries = log.entries();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries.front().status, 503);
    EXPECT_EQ(entries.back().status, 505);
    EXPECT_EQ(log.dropped(), 2U);
    EXPECT_TRUE(table(log).ends_with("\nolder attempts dropped: 2\n")) << table(log);
}

TEST(journal, of_capacity_0_only_counts) {
    const journal log(0);
    log.observer()({}, r2::attempt(r2::response{}));
    EXPECT_TRUE(log.entries().empty());
    EXPECT_EQ(log.dropped(), 1U);
}

TEST(journal, keeps_1000_attempts_unless_set) {
    const journal log;
    const auto note = log.observer();
    for (int i = 0; i < 1001; ++i) note({}, r2::attempt(r2::response{}));
    EXPECT_EQ(log.entries().size(), 1000U);
    EXPECT_EQ(log.dropped(), 1U);
}

TEST(journal, takes_the_time_of_the_machine_unless_set) {
    const journal log;
    const r2::wall_time before = std::chrono::system_clock::now();
    log.observer()({}, r2::attempt(r2::response{}));
    EXPECT_GE(log.entries().at(0).time, before);
    EXPECT_LE(log.entries().at(0).time, std::chrono::system_clock::now());
}

TEST(journal, observer_outlives_its_journal) {
    auto log = std::make_optional<journal>();
    const r2::detail::on_attempt_hook note = log->observer();
    log.reset();
    note({}, r2::attempt(r2::response{}));
}

TEST(journal, copied_and_moved_2_times_is_the_same_one) {
    journal log;
    const journal copy = log;
    const journal moved = std::move(log);
    log.observer()({}, r2::attempt(r2::response{}));  // NOLINT(bugprone-use-after-move): a move is a copy
    EXPECT_EQ(copy.entries().size(), 1U);
    EXPECT_EQ(moved.entries().size(), 1U);
}

TEST(journal, misses_no_attempt_of_8_threads) {
    constexpr int threads = 8, ranges = 50;
    const journal log(100);
    {
        std::vector<std::jthread> all;
        for (int t = 0; t < threads; ++t)
            all.emplace_back([&log] {
                fake_client fake;
                for (int i = 0; i < ranges; ++i) {
                    fake.reply(503).reply(200);
                    (void)fake.get(url, {.interval = 1s, .on_attempt = log.observer()}).finish();
                    if (i % 10 == 0) (void)table(log);
                }
            });
    }
    EXPECT_EQ(log.entries().size(), 100U);
    EXPECT_EQ(log.dropped(), std::uint64_t{threads} * ranges * 2 - 100);
}

TEST(journal, records_27_urls_without_their_secrets) {
    struct {
        const char *url, *recorded;
    } constexpr table[] = {
        {"http://host/a", "http://host/a"},
        {"https://host:8443", "https://host:8443"},
        {"http://user:hunter2@host/a", "http://host/a"},
        {"http://hunter2@host", "http://host"},
        {"http://user:hunter2@host:81/a?key=hunter2#hunter2", "http://host:81/a?…"},
        {"http://host?hunter2", "http://host?…"},
        {"http://host/a#hunter2?hunter2", "http://host/a"},
        {"http://user:hunt@er2@host/", "http://host/"},
        {"http://user:hun\\ter2@host/", "http://host/"},
        {"http://user:hun ter2@host/", "http://host/"},
        {"http://user:h/unter2@host/", "http://…"},
        {"http://user:h?unter2@host/", "http://…"},
        {"http://user:h#unter2@host/", "http://…"},
        {"http://user:hunter2@[::1]:80/a", "http://[::1]:80/a"},
        {"http://[::1]/a", "http://[::1]/a"},
        {"http://[user:hunter2", "http://…"},
        {"http://host:", "http://host:"},
        {"http:/user:hunter2@host/", "http://host/"},
        {"http:///user:hunter2@host/", "http://host/"},
        {"HTTPS://user:hunter2@HOST/@a", "HTTPS://HOST/@a"},
        {"http://", "http://"},
        {"http:", "http://"},
        {"user:hunter2@host", "…"},
        {"ftp://user:hunter2@host", "…"},
        {"//user:hunter2@host", "…"},
        {"hunter2", "…"},
        {"", ""},
    };
    for (const auto& [target, recorded] : table) EXPECT_EQ(recorded_url(target), recorded) << target;
}

TEST(journal, prints_0_secrets_in_table_and_json) {
    fake_client fake;
    const journal log;
    fake.reply({.status = 503, .headers = {{"Set-Cookie", "hunter2"}}, .body = "hunter2", .url = "http://h/?hunter2"})
        .hang();
    (void)fake
        .post("https://user:hunter2@job.test/42?token=hunter2#hunter2", "hunter2",
              {.max_attempts = 2,
               .timeout = 1s,
               .headers = {{"Authorization", "hunter2"}},
               .idempotency_key = "hunter2",
               .on_attempt = log.observer()})
        .finish();
    EXPECT_EQ(table(log).find("hunter2"), std::string::npos);
    EXPECT_EQ(lines(log).find("hunter2"), std::string::npos);
    EXPECT_NE(table(log).find("https://job.test/42?…"), std::string::npos);
}

TEST(journal, prints_3_attempts_as_an_aligned_table) {
    fake_client fake;
    const journal log = log_of(fake);
    fake.fail_after(20ms, r2::error(errc::connect))
        .reply_after(5ms, {.status = 503, .headers = {{"Retry-After", "3"}}})
        .reply_after(125ms, 200);
    (void)fake.get("http://job.test/42?k=v", {.interval = 1500ms, .on_attempt = log.observer()}).finish();
    EXPECT_EQ("\n" + table(log),
              R"(
time                      method  URL                   number  sends  outcome            elapsed  decision   wait  asked by
2026-01-01T00:00:00.020Z  GET     http://job.test/42?…  1       0      could not connect  20ms     goes on    1.5s  interval
2026-01-01T00:00:01.525Z  GET     http://job.test/42?…  2       1      503                5ms      goes on    3s    retry_after
2026-01-01T00:00:04.650Z  GET     http://job.test/42?…  3       1      200                125ms    succeeded  -     -
)");
}

TEST(journal, prints_0_attempts_as_a_header_line) {
    EXPECT_EQ(table(journal()), "time  method  URL  number  sends  outcome  elapsed  decision  wait  asked by\n");
    EXPECT_EQ(lines(journal()), "");
}

TEST(journal, prints_1_json_object_a_line) {
    fake_client fake;
    const journal log = log_of(fake);
    fake.fail_after(20ms, r2::error(errc::connect, "port is closed")).reply_after(2s, 200);
    (void)fake.get(url, {.interval = 1500ms, .on_attempt = log.observer()}).finish();
    std::istringstream in(lines(log));
    std::vector<nlohmann::json> objects;
    for (std::string line; std::getline(in, line);) objects.push_back(nlohmann::json::parse(line));
    ASSERT_EQ(objects.size(), 2U);
    EXPECT_EQ(objects[0], nlohmann::json::parse(R"({
        "time": "2026-01-01T00:00:00.020Z", "method": "GET", "url": "http://job.test/42", "number": 1, "sends": 0,
        "status": null, "error": "could not connect", "message": "could not connect: port is closed",
        "elapsed": 0.02, "ended": "not_yet", "refusal": null, "wait": 1.5, "wait_from": "interval"})"));
    EXPECT_EQ(objects[1], nlohmann::json::parse(R"({
        "time": "2026-01-01T00:00:03.520Z", "method": "GET", "url": "http://job.test/42", "number": 2, "sends": 1,
        "status": 200, "error": null, "message": null,
        "elapsed": 2, "ended": "succeeded", "refusal": null, "wait": 0, "wait_from": "none"})"));
}

TEST(journal, escapes_each_of_256_bytes_in_json) {
    for (int byte = 0; byte < 256; ++byte) {
        const journal log;
        const std::string text = std::string("a") + static_cast<char>(byte) + "b";
        log.observer()({.method = text, .url = "http://h/" + text}, r2::attempt(r2::error(errc::local, text)));
        const auto object = nlohmann::json::parse(lines(log));
        const std::string expected = byte < 0x80 ? text
                                                 : "a\xEF\xBF\xBD"
                                                   "b";
        EXPECT_EQ(object["method"], expected) << byte;
        EXPECT_EQ(object["message"], "local failure: " + expected) << byte;
    }
}

TEST(journal, replaces_bytes_that_are_no_utf_8_in_json) {
    struct {
        std::string_view text, shown;
    } constexpr table[] = {
        {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong
        {"\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // a surrogate
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // past U+10FFFF
        {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // cut short
        {"\xE2\x82x", "\xEF\xBF\xBD\xEF\xBF\xBDx"},
    };
    for (const auto& [text, shown] : table) {
        const journal log;
        log.observer()({.method = std::string(text)}, r2::attempt(r2::response{}));
        EXPECT_EQ(nlohmann::json::parse(lines(log))["method"], shown);
    }
}

TEST(journal, lets_no_control_byte_forge_a_2nd_line) {
    const journal log;
    log.observer()({.url = "http://h/"}, r2::attempt(r2::error(errc::local, "a\nb\x1B[2J\x7F\xC2\x9B \"\\")));
    const std::string text = table(log);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    EXPECT_NE(text.find(R"(local failure: a\u000ab\u001b[2J\u007f\u009b "\)"), std::string::npos) << text;
}

}  // namespace
