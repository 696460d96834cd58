#include <gtest/gtest.h>

#include <tuple>
#include <type_traits>
#include <utility>

#include <r2/ranges/trial.hpp>
#include <r2/words/job_attempt.hpp>

namespace {

using r2::attempt;
using r2::job_attempt;
using r2::trial;

static_assert(std::tuple_size_v<attempt> == 2 && std::tuple_size_v<const attempt> == 2);
static_assert(std::tuple_size_v<job_attempt> == 3 && std::tuple_size_v<trial<int>> == 2);
static_assert(std::is_same_v<std::tuple_element_t<0, attempt>, r2::response*>);
static_assert(std::is_same_v<std::tuple_element_t<0, const attempt>, const r2::response*>);
static_assert(std::is_same_v<std::tuple_element_t<1, attempt>, const r2::error&>);
static_assert(std::is_same_v<std::tuple_element_t<1, const attempt>, const r2::error&>);
static_assert(std::is_same_v<std::tuple_element_t<0, job_attempt>, std::size_t>);
static_assert(std::is_same_v<std::tuple_element_t<1, const job_attempt>, const r2::response*>);
static_assert(std::is_same_v<std::tuple_element_t<0, trial<int>>, int*>);
static_assert(std::is_same_v<std::tuple_element_t<0, const trial<int>>, const int*>);
static_assert(std::is_same_v<std::tuple_element_t<0, trial<void>>, bool>);

TEST(binding, of_an_attempt_refers_to_its_response_and_its_error) {
    attempt a(r2::response{.status = 200, .body = "b"});
    auto&& [res, err] = a;
    EXPECT_EQ(res, a.response());
    EXPECT_EQ(&err, &a.error());
    res->body = "c";
    EXPECT_EQ(std::as_const(a).response()->body, "c");
    const attempt& constant = a;
    auto&& [const_res, const_err] = constant;
    EXPECT_EQ(const_res->status, 200);
    EXPECT_FALSE(const_err);
}

struct tab {
    static constexpr int binding_size = 4;
    int a, b;
};

TEST(binding, leaves_a_class_of_the_user_s_alone_that_has_a_binding_size) {
    const auto [a, b] = tab{1, 2};
    EXPECT_EQ(a + b, 3);
    EXPECT_EQ(tab::binding_size, 4);
}

TEST(binding, of_a_temporary_keeps_it_alive) {
    auto&& [res, err] = attempt(r2::response{.status = 204});
    EXPECT_EQ(res->status, 204);
    EXPECT_FALSE(err);
}

TEST(binding, of_a_job_attempt_has_3_parts) {
    job_attempt a(attempt(r2::error(r2::errc::timeout)), 7);
    auto& [job, res, err] = a;
    EXPECT_EQ(job, 7U);
    EXPECT_EQ(res, nullptr);
    EXPECT_TRUE(err == r2::errc::timeout);
}

}  // namespace
