#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include <r2/machine/classification.hpp>

namespace {

using r2::detail::classification;
using r2::detail::classify;

r2::attempt attempt_of(int status) {
    if (status == 0) return r2::attempt(r2::error(r2::errc::invalid_request));
    if (status < 0) return r2::attempt(r2::error(r2::errc::timeout));
    return r2::attempt(r2::response{.status = status});
}

struct row {
    const char* what;
    int status;  // 0: an error that is permanent; -1: one that is transient
    std::optional<bool> terminate;
    std::optional<bool> retry;
    classification expected;
};

constexpr row rows[] = {
    {"a success", 200, {}, {}, classification::succeeded},
    {"a success by 399", 399, {}, {}, classification::succeeded},
    {"a success, whatever retry_if says", 204, {}, true, classification::succeeded},
    {"polling", 200, false, {}, classification::unmet},
    {"polling doesn't ask retry_if", 200, false, false, classification::unmet},
    {"the condition", 200, true, {}, classification::met},
    {"the condition of a 503", 503, true, false, classification::met},
    {"the condition of an error", -1, true, {}, classification::met},
    {"400 is a failure", 400, {}, {}, classification::permanent},
    {"404 ends even while polling", 404, false, {}, classification::permanent},
    {"429 is transient", 429, {}, {}, classification::retryable},
    {"503 is transient, while polling too", 503, false, {}, classification::retryable},
    {"a transient error", -1, {}, {}, classification::retryable},
    {"a permanent error", 0, {}, {}, classification::permanent},
    {"retry_if has the word on a 404", 404, {}, true, classification::retryable},
    {"retry_if has the word on a 503", 503, {}, false, classification::permanent},
    {"retry_if has the word on an error", -1, {}, false, classification::permanent},
};

TEST(classification, is_rules_1_to_4_for_each_of_17_outcomes) {
    for (const row& each : rows) {
        r2::options o;
        if (each.terminate) o.terminate_if = [&](const r2::attempt&) { return *each.terminate; };
        if (each.retry) o.retry_if = [&](const r2::attempt&) { return *each.retry; };
        EXPECT_EQ(classify(o, attempt_of(each.status), false), each.expected) << each.what;
        EXPECT_EQ(classify(o, attempt_of(each.status), true), classification::stopped) << each.what;
    }
}

TEST(classification, asks_each_predicate_at_most_once_and_only_where_its_rule_is_reached) {
    std::vector<char> asked;
    bool met = false;
    const r2::options o{.terminate_if =
                            [&](const r2::attempt&) {
                                asked.push_back('t');
                                return met;
                            },
                        .retry_if =
                            [&](const r2::attempt&) {
                                asked.push_back('r');
                                return true;
                            }};
    classify(o, attempt_of(503), true);
    EXPECT_EQ(asked, (std::vector<char>{}));
    classify(o, attempt_of(200), false);
    EXPECT_EQ(asked, (std::vector<char>{'t'}));
    classify(o, attempt_of(503), false);
    EXPECT_EQ(asked, (std::vector<char>{'t', 't', 'r'}));
    met = true;
    classify(o, attempt_of(503), false);
    EXPECT_EQ(asked, (std::vector<char>{'t', 't', 'r', 't'}));
}

}  // namespace
