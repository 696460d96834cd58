#include "r2/ranges/retry.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

#include <r2/testing/fake_client.hpp>

namespace {

using namespace std::chrono_literals;
using r2::ended;
using r2::errc;
using r2::testing::fake_client;

/// As much of std::expected (C++23) as it takes.
template <class T, class E> class expected {
public:
    expected(T value) : value_(std::move(value)) {}
    expected(E error, int) : error_(std::move(error)) {}

    bool has_value() const { return value_.has_value(); }
    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }
    const E& error() const { return *error_; }

private:
    std::optional<T> value_;
    std::optional<E> error_;
};
template <class E> class expected<void, E> {
public:
    expected() = default;
    expected(E error, int) : error_(std::move(error)) {}

    bool has_value() const { return !error_; }
    void operator*() const {}
    const E& error() const { return *error_; }

private:
    std::optional<E> error_;
};

template <class F> using range_of = decltype(r2::retry(std::declval<F>()));
static_assert(std::ranges::input_range<range_of<int (*)()>>);
static_assert(std::ranges::view<range_of<int (*)()>>);
static_assert(!std::copyable<range_of<int (*)()>>);
static_assert(std::same_as<decltype(std::declval<r2::trial<int>&>().value()), int*>);
static_assert(std::same_as<decltype(std::declval<const r2::trial<int>&>().value()), const int*>);
static_assert(std::same_as<decltype(std::declval<r2::trial<void>&>().value()), bool>);
static_assert(std::same_as<decltype(std::declval<r2::trial<expected<int, int>>&>().value()), int*>);
static_assert(std::same_as<decltype(std::declval<r2::trial<expected<void, int>>&>().value()), bool>);

r2::options no_jitter(r2::options o = {}) {
    o.jitter = r2::jitter::none();
    return o;
}

TEST(retry, calls_until_the_3rd_returns_and_waits_as_a_request_would) {
    fake_client fake;
    int calls = 0;
    std::vector<std::string> seen;
    auto range = fake.retry(
        [&] {
            if (++calls < 3) throw std::runtime_error("busy");
            return std::string("done");
        },
        no_jitter());
    for (auto&& [value, err] : range) seen.push_back(value ? *value : err.message());
    EXPECT_EQ(seen, (std::vector<std::string>{"failed: busy", "failed: busy", "done"}));
    EXPECT_EQ(fake.waits(), (std::vector<r2::duration>{2s, 4s}));
    EXPECT_EQ(range.ended(), ended::succeeded);
    EXPECT_EQ(fake.requests().size(), 0U);
    EXPECT_EQ(range.summary(), "3 attempts in 6s: failed, failed, 200; succeeded");
}

TEST(retry, of_nothing_binds_a_bool_in_2_turns) {
    fake_client fake;
    int calls = 0;
    std::vector<bool> seen;
    for (auto&& [ok, err] : fake.retry([&] {
             if (++calls < 2) throw 7;
         })) {
        seen.push_back(ok);
        EXPECT_EQ(ok, !err);
        EXPECT_TRUE(ok || err.message() == "failed: an exception of no standard type");
    }
    EXPECT_EQ(seen, (std::vector{false, true}));
}

TEST(retry, gives_the_exception_of_its_1_call) {
    fake_client fake;
    const auto t = fake.retry([]() -> int { throw std::out_of_range("7"); }, {.max_attempts = 1}).finish();
    EXPECT_EQ(t.value(), nullptr);
    EXPECT_TRUE(t.error() == errc::failed);
    EXPECT_EQ(t.error().sent(), r2::sent::no);
    EXPECT_THROW(std::rethrow_exception(t.error().exception()), std::out_of_range);
    EXPECT_EQ(t.ended(), ended::exhausted);
}

TEST(retry, explains_each_of_its_3_trials) {
    fake_client fake;
    int calls = 0;
    for (auto& t : fake.retry(
             [&] {
                 if (++calls < 3) throw std::runtime_error("");
             },
             {.interval = 5s})) {
        EXPECT_EQ(t.number(), calls);
        EXPECT_EQ(t.is_last(), calls == 3);
        EXPECT_EQ(t.ended(), calls == 3 ? ended::succeeded : ended::not_yet);
        EXPECT_EQ(t.wait(), calls == 3 ? 0s : 5s);
        EXPECT_EQ(t.wait_from(), calls == 3 ? r2::wait_source::none : r2::wait_source::interval);
    }
    EXPECT_EQ(calls, 3);
}

TEST(retry, ends_with_what_is_unrecoverable_whatever_retry_if_says_after_1_call) {
    for (const r2::predicate& retry_if : {r2::predicate(), r2::predicate([](const r2::attempt&) { return true; })}) {
        fake_client fake;
        auto range =
            fake.retry([]() -> int { throw r2::unrecoverable(std::logic_error("never")); }, {.retry_if = retry_if});
        const auto t = range.finish();
        EXPECT_EQ(t.number(), 1);
        EXPECT_EQ(t.ended(), ended::not_retryable);
        EXPECT_EQ(t.error().message(), "failed: never");
        EXPECT_THROW(std::rethrow_exception(t.error().exception()), std::logic_error);
    }
    fake_client fake;
    const auto rethrown = fake.retry([]() -> int {
                                  try {
                                      throw std::out_of_range("inner");
                                  } catch (...) {
                                      throw r2::unrecoverable(std::current_exception());
                                  }
                              })
                              .finish();
    EXPECT_THROW(std::rethrow_exception(rethrown.error().exception()), std::out_of_range);
}

TEST(retry, asks_retry_if_of_each_of_2_failures) {
    fake_client fake;
    int calls = 0;
    const auto only_busy = [](const r2::response*, const r2::error& e) { return e.message() == "failed: busy"; };
    const auto t =
        fake.retry([&]() -> int { throw std::runtime_error(++calls < 2 ? "busy" : "broken"); }, {.retry_if = only_busy})
            .finish();
    EXPECT_EQ(t.number(), 2);
    EXPECT_EQ(t.ended(), ended::not_retryable);
}

TEST(retry, takes_5_kinds_of_expected) {
    fake_client fake;
    int calls = 0;
    const auto text = fake.retry([&] {
                              using result = expected<int, std::string>;
                              return ++calls < 2 ? result("not yet", 0) : result(42);
                          })
                          .finish();
    EXPECT_EQ(*text.value(), 42);
    EXPECT_EQ(text.number(), 2);

    const r2::options once{.max_attempts = 1};
    const auto code =
        fake.retry([] { return expected<int, std::errc>(std::errc::no_space_on_device, 0); }, once).finish();
    EXPECT_TRUE(code.error() == errc::failed);
    const auto whole_code =
        fake.retry(
                [] { return expected<void, std::error_code>(std::make_error_code(std::errc::no_space_on_device), 0); },
                once)
            .finish();
    EXPECT_FALSE(whole_code.value());
    EXPECT_EQ(whole_code.error().code(), std::errc::no_space_on_device);

    // r2's own keep their kind, and so what is final ends it.
    const auto own =
        fake.retry([] { return expected<int, r2::error>(r2::error(errc::tls, "wrong host"), 0); }).finish();
    EXPECT_TRUE(own.error() == errc::tls);
    EXPECT_EQ(own.ended(), ended::not_retryable);

    const auto final = fake.retry([] {
                               using e = r2::unrecoverable<std::runtime_error>;
                               return expected<int, e>(e(std::runtime_error("never")), 0);
                           })
                           .finish();
    EXPECT_EQ(final.number(), 1);
    EXPECT_EQ(final.error().message(), "failed: never");
}

TEST(retry, lets_a_value_be_moved_out_of_2_kinds_of_result) {
    fake_client fake;
    auto t = fake.retry([] { return std::make_unique<int>(7); }).finish();
    const std::unique_ptr<int> taken = std::move(*t.value());
    EXPECT_EQ(*taken, 7);

    std::string moved;
    for (auto&& [value, err] : fake.retry([] { return expected<std::string, int>("text"); })) moved = std::move(*value);
    EXPECT_EQ(moved, "text");
}

TEST(retry, finish_after_1_turn_of_a_loop_gives_the_value_that_was_seen) {
    fake_client fake;
    auto range = fake.retry([] { return 42; });
    for (auto& t : range) {
        EXPECT_EQ(*t.value(), 42);
        break;
    }
    EXPECT_EQ(*range.finish().value(), 42);

    int calls = 0;
    auto failing = fake.retry([&] { return ++calls < 3 ? throw std::runtime_error("") : calls; });
    for (auto& t : failing)
        if (t.number() == 1) break;
    EXPECT_EQ(*failing.finish().value(), 3);
}

/// As tl::expected<void, E>, which has no `*`.
struct starless {
    bool has_value() const { return good; }
    int error() const { return 7; }
    bool good;
};

TEST(retry, takes_3_more_kinds_of_result) {
    fake_client fake;
    EXPECT_TRUE(fake.retry([] { return starless{true}; }).finish().value());
    const auto own = fake.retry([] { return starless{false}; }, {.max_attempts = 1}).finish();
    EXPECT_FALSE(own.value());
    try {
        std::rethrow_exception(own.error().exception());
    } catch (int error) {
        EXPECT_EQ(error, 7);
    }
    const auto kind = fake.retry([] { return expected<int, errc>(errc::refused, 0); }).finish();
    EXPECT_TRUE(kind.error() == errc::refused);
    EXPECT_EQ(kind.number(), 1);
    const auto thrown = fake.retry([]() -> int { throw r2::error(errc::tls, "wrong host"); }).finish();
    EXPECT_TRUE(thrown.error() == errc::tls);
    EXPECT_EQ(thrown.ended(), ended::not_retryable);
}

TEST(retry, moved_from_finishes_with_1_error) {
    fake_client fake;
    auto range = fake.retry([] { return 1; });
    auto taken = std::move(range);
    EXPECT_TRUE(range.finish().error() == errc::invalid_request);
    EXPECT_EQ(*taken.finish().value(), 1);
}

TEST(retry, that_is_not_pulled_calls_0_times) {
    fake_client fake;
    int calls = 0;
    {
        [[maybe_unused]] const auto range = fake.retry([&] { return ++calls; });
    }
    EXPECT_EQ(calls, 0);
    for (auto&& t : fake.retry([&]() -> int { throw ++calls; }) | std::views::take(2)) EXPECT_TRUE(t.error());
    EXPECT_EQ(calls, 2);
}

TEST(retry, stopped_in_its_1st_call_makes_no_2nd) {
    fake_client fake;
    std::stop_source source;
    int calls = 0;
    const r2::options o{.stop = source.get_token()};
    auto failing = fake.retry(
        [&]() -> int {
            source.request_stop();
            throw ++calls;
        },
        o);
    EXPECT_EQ(failing.finish().ended(), ended::stopped);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(fake.retry([] { return 1; }, o).finish().error(), errc::stopped) << "and none where it came before";
}

TEST(retry, ends_at_its_deadline_of_5_s) {
    fake_client fake;
    const auto t = fake.retry([]() -> int { throw 1; }, no_jitter({.interval = 2s, .deadline = 5s})).finish();
    EXPECT_EQ(t.number(), 3);
    EXPECT_EQ(t.ended(), ended::deadline);
}

TEST(retry, ignores_what_only_http_can_use_in_1_call) {
    fake_client fake;
    bool asked = false;
    const r2::options o{
        .timeout = 1ns,
        .terminate_if = [&](const r2::attempt&) { return asked = true; },
        .replay = r2::replay::when_safe,
        .before_attempt = [&](r2::request&) { asked = true; },
        .after_attempt = [&](const r2::request&, r2::attempt&) { asked = true; },
    };
    EXPECT_EQ(fake.retry([] { return 1; }, o).finish().ended(), ended::succeeded);
    EXPECT_FALSE(asked);
}

/// Counts.
class counting_guard : public r2::guard {
public:
    r2::admission admit(const r2::request& q, int, r2::time_point) override {
        EXPECT_EQ(q.url, "");
        return ++admitted < 3 ? r2::admission::go() : r2::admission::refuse("enough");
    }
    void record(const r2::attempt& a, r2::time_point) override { failures += static_cast<bool>(a.error()); }
    int admitted = 0, failures = 0;
};

TEST(retry, asks_its_guards_3_times_and_shows_2_attempts) {
    fake_client fake;
    const auto g = std::make_shared<counting_guard>();
    int shown = 0;
    const r2::options o{.on_attempt = [&](const r2::request&, const r2::attempt& a) { shown += a.number(); },
                        .guards = {g}};
    const auto t = fake.retry([]() -> int { throw 1; }, o).finish();
    EXPECT_EQ(t.ended(), ended::refused);
    EXPECT_EQ(t.refusal(), "enough");
    EXPECT_EQ(g->admitted, 3);
    EXPECT_EQ(g->failures, 2);
    EXPECT_EQ(shown, 1 + 2);
}

TEST(retry, without_a_client_runs_on_real_time_in_2_calls) {
    int calls = 0;
    const auto t =
        r2::retry([&] { return ++calls < 2 ? throw std::runtime_error("") : calls; }, {.interval = 1ms}).finish();
    EXPECT_EQ(*t.value(), 2);
}

}  // namespace
