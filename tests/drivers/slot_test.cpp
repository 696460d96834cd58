#include <gtest/gtest.h>

#include <memory>
#include <stop_token>

#include <r2/drivers/slot.hpp>

namespace {

using namespace std::chrono_literals;
using r2::detail::queued_request;
using r2::detail::slot;

TEST(slot, puts_the_options_over_its_request_and_shares_those_of_all) {
    const auto shared = std::make_shared<const r2::options>(r2::options{.headers = {{"X-Id", "7"}}});
    slot s;
    s.fill(3, queued_request{{.method = "PUT", .url = "http://a/", .headers = {{"x-id", "1"}}, .body = "b"}}, shared);
    EXPECT_EQ(s.index, 3U);
    EXPECT_EQ(s.request.method, "PUT");
    EXPECT_EQ(s.request.url, "http://a/");
    EXPECT_EQ(s.request.headers, (r2::headers{{"X-Id", "7"}}));
    EXPECT_EQ(s.request.body.text(), "b");
    EXPECT_EQ(s.options, shared);
}

TEST(slot, takes_the_stop_its_grace_and_the_deadline_of_all_into_options_of_its_own) {
    std::stop_source stop;
    const auto shared = std::make_shared<const r2::options>(
        r2::options{.max_attempts = 9, .deadline = 1min, .stop = stop.get_token(), .stop_grace = 2s});
    slot s;
    s.fill(0, queued_request{{.url = "http://a/"}, r2::options{.max_attempts = 2, .deadline = 5s, .stop_grace = 9s}},
           shared);
    EXPECT_EQ(s.options->max_attempts, 2);
    EXPECT_EQ(s.options->deadline, 1min);
    EXPECT_EQ(s.options->stop_grace, 2s);
    EXPECT_TRUE(s.options->stop.stop_possible());
}

TEST(slot, lets_go_of_the_options_and_the_body_when_it_is_emptied_and_takes_another_request) {
    auto shared = std::make_shared<const r2::options>();
    slot s;
    s.fill(0, queued_request{{.url = "http://a/", .headers = {{"A", "1"}}, .body = "b"}}, shared);
    s.empty();
    EXPECT_EQ(shared.use_count(), 1);
    EXPECT_TRUE(s.request.body.empty());
    s.fill(1, queued_request{{.url = "http://b/"}}, shared);
    EXPECT_EQ(s.request.url, "http://b/");
    EXPECT_TRUE(s.request.headers.empty());
}

}  // namespace
