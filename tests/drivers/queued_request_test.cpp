#include <gtest/gtest.h>

#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <r2/drivers/queued_request.hpp>

namespace {

using r2::detail::queued_request;
using r2::detail::range_reader;

static_assert(r2::detail::requests<std::vector<std::string>>);
static_assert(r2::detail::requests<std::vector<const char*>>);
static_assert(r2::detail::requests<const char* (&)[2]>);
static_assert(r2::detail::requests<std::list<r2::request>&>);
static_assert(r2::detail::requests<std::vector<std::pair<std::string, r2::options>>>);
static_assert(r2::detail::requests<std::vector<std::pair<r2::request, r2::options>>>);
static_assert(!r2::detail::requests<std::vector<int>>);
static_assert(!r2::detail::requests<std::string>);

TEST(queued_request, comes_from_a_url_a_request_or_a_pair_of_either_and_options) {
    EXPECT_EQ(r2::detail::queued_request_of("http://a/").request.url, "http://a/");
    EXPECT_EQ(r2::detail::queued_request_of(r2::request{.method = "PUT"}).request.method, "PUT");
    const queued_request q =
        r2::detail::queued_request_of(std::pair(std::string("http://b/"), r2::options{.max_attempts = 3}));
    EXPECT_EQ(q.request.url, "http://b/");
    ASSERT_TRUE(q.own);
    EXPECT_EQ(q.own->max_attempts, 3);
    EXPECT_FALSE(r2::detail::queued_request_of(std::string("http://a/")).own);
}

TEST(range_reader, reads_2_elements_one_at_a_time_and_then_nothing) {
    std::vector<std::string> urls = {"http://a/"};
    range_reader<std::vector<std::string>&> reader(urls);
    urls.push_back("http://b/");  // nothing was read yet
    EXPECT_EQ(reader()->request.url, "http://a/");
    EXPECT_EQ(reader()->request.url, "http://b/");
    EXPECT_FALSE(reader());
}

}  // namespace
