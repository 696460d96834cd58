#include "r2/policy/predicate.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "r2/policy/predicates.hpp"

namespace {

using r2::attempt;
using r2::errc;
using r2::error;
using r2::response;

TEST(predicate, calls_each_of_3_forms_and_a_generic_lambda_with_the_response) {
    const attempt good(response{.status = 200, .body = "x"});
    const attempt bad{error(errc::connect)};
    const r2::predicate of_response = [](const response& r) { return r.status == 200; };
    const r2::predicate of_attempt = [](const attempt& a) { return a.error() == errc::connect; };
    const r2::predicate of_both = [](const response* r, const error& e) { return !r && e == errc::connect; };
    const r2::predicate generic = [](const auto& r) { return r.body == "x"; };
    EXPECT_TRUE(of_response(good));
    EXPECT_FALSE(of_response(bad));
    EXPECT_TRUE(of_attempt(bad));
    EXPECT_FALSE(of_attempt(good));
    EXPECT_TRUE(of_both(bad));
    EXPECT_FALSE(of_both(good));
    EXPECT_TRUE(generic(good));
    EXPECT_FALSE(generic(bad));
}

TEST(predicate, composes_with_lambdas_on_either_side_and_at_any_depth) {
    const attempt a(response{.status = 503, .body = "busy"});
    const auto busy = [](const response& r) { return r.body == "busy"; };
    const r2::predicate p = (r2::status_is(200) || busy) && !r2::status_is(404);
    EXPECT_TRUE(p(a));
    EXPECT_TRUE((busy && r2::transient)(a));
    EXPECT_FALSE((busy && r2::status_is(200))(a));
    EXPECT_FALSE((!(p || r2::failed_with(errc::tls)))(a));
}

TEST(predicate, a_negation_is_true_where_there_was_no_response) {
    EXPECT_TRUE((!r2::status_is(200))(attempt(error(errc::timeout))));
    EXPECT_TRUE((!r2::predicate([](const response&) { return true; }))(attempt(error(errc::timeout))));
}

TEST(predicate, takes_callables_of_every_make) {
    struct of_text {
        of_text(const char* t) : text(t) {}
        bool operator()(const response& r) { return r.body == text && ++asked > 0; }
        std::string text;
        int asked = 0;
    };
    const attempt a(response{.status = 200, .body = "x"});
    const r2::predicate negated = !r2::predicate(of_text("y"));
    EXPECT_TRUE(negated(a));
    EXPECT_TRUE((r2::status_is(404) || of_text("x"))(a));
    EXPECT_TRUE(([n = 0](const response&) mutable { return ++n > 0; } && r2::status_is(200))(a));
    EXPECT_TRUE(r2::predicate(+[](const response&) { return true; })(a));
}

TEST(predicate, unset_converts_to_false_and_returns_false) {
    const attempt a(response{.status = 200});
    EXPECT_FALSE(static_cast<bool>(r2::predicate()));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(nullptr)));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(std::function<bool(const response&)>())));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(static_cast<bool (*)(const response&)>(nullptr))));
    EXPECT_FALSE(static_cast<bool>(r2::predicate(static_cast<int response::*>(nullptr))));
    EXPECT_TRUE(r2::predicate(&response::status)(a));
    EXPECT_FALSE(r2::predicate()(a));
    EXPECT_TRUE(static_cast<bool>(r2::predicate(r2::transient)));
    static_assert(!r2::detail::predicate_callable<bool>);
    static_assert(!r2::detail::predicate_callable<int>);
}

}  // namespace
