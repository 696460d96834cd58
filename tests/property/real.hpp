#pragma once

#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <utility>

#include <r2/testing.hpp>

#include "property/script.hpp"
#include "property/told_case.hpp"

namespace r2::property {

/// The loop itself, of a case, on a fake client; whatever can be seen of it is marked.
class real : public told_case {
public:
    real(const loop_case& c, trace& out) : told_case(c, out) {
        fake_.seed(c.seed);
        write_script(c, fake_);
        if (c.may_stop && c.stop_at) fake_.stop_at(*c.stop_at, stop_);
        range_.emplace(fake_.send(request_to("http://u:pA55@job.test/"), make_options()));
    }

    void begin() { place_ = range_->begin(); }
    void move_range() {
        attempts elsewhere = std::move(*range_);
        range_.emplace(std::move(elsewhere));
    }
    bool at_end() { return place_ == std::default_sentinel; }
    mark look() { return show(seen::yielded, *place_); }
    void next() { ++place_; }
    mark finish() { return show(seen::finished, range_->finish()); }
    template <class F> void take(int n, F f) {
        for (attempt& a : std::ranges::ref_view(*range_) | std::views::take(n)) f(show(seen::yielded, a));
    }
    void move_body() {
        if (response* res = (*place_).response()) const std::string taken = std::move(res->body);
    }
    r2::ended ended() const { return range_->ended(); }
    void destroy() {
        look_for_secret(range_->summary());
        range_.reset();
    }

    duration time() const override { return fake_.now(); }
    int requests() const override { return static_cast<int>(fake_.requests().size()); }
    void advance(duration d) override { fake_.advance(d); }
    std::stop_token stop_token() const override { return stop_.get_token(); }
    void request_stop() override { stop_.request_stop(); }

    void append_record(trace& out) const {
        for (const duration d : fake_.waits()) out.push_back({.seen = seen::slept, .wait = d});
        for (const request& q : fake_.requests())
            out.push_back({.seen = seen::sent, .method = method_of(q), .key = q.headers.contains("Idempotency-Key")});
    }

private:
    testing::fake_client fake_;
    std::stop_source stop_;
    std::optional<attempts> range_;
    decltype(range_->begin()) place_ = {};
};

}  // namespace r2::property
