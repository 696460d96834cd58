#pragma once

#include <iterator>
#include <ranges>
#include <stdexcept>

#include "property/model.hpp"
#include "property/real.hpp"

namespace r2::property {

/// The model as a range: begin() again changes nothing, ++ only marks, and what looks pulls.
class model_side {
public:
    model_side(const loop_case& c, course& out) : model_(c, out) {}

    void begin() {}
    void move_range() {}
    bool at_end() {
        if (!std::exchange(pulled_, true)) model_.pull();
        return model_.over();
    }
    mark look() {
        at_end();
        return shown(seen::yielded);
    }
    void next() {
        at_end();
        pulled_ = false;
    }
    mark finish() {
        while (!at_end()) next();
        mark m = shown(seen::finished);
        m.ended = ended();
        m.wait = {};
        m.wait_from = wait_source::none;
        return m;
    }
    template <class F> void take(int n, F f) {
        for (int i = 0; i < n && !at_end(); ++i, next()) f(look());
    }
    void move_body() { at_end(); }
    r2::ended ended() const { return model_.how_it_ended(); }
    void advance(duration d) { model_.world.advance(d); }
    void request_stop() { model_.world.request_stop(); }
    void destroy() { model_.destroy(); }
    mark now(seen what) const {
        return {.seen = what, .requests = model_.world.requests(), .now = model_.world.elapsed()};
    }
    void append_record(course& out) {
        out.insert(out.end(), model_.slept.begin(), model_.slept.end());
        out.insert(out.end(), model_.sent.begin(), model_.sent.end());
    }

private:
    mark shown(seen what) const {
        mark m = model_.last();
        m.seen = what;
        m.requests = model_.world.requests();
        m.now = model_.world.elapsed();
        return m;
    }

    model model_;
    bool pulled_ = false;
};

/// The loop itself, in the same words.
class real_side {
public:
    real_side(const loop_case& c, course& out) : real_(c, out) {}

    void begin() { place_ = real_.range->begin(); }
    void move_range() {
        attempts elsewhere = std::move(*real_.range);
        real_.range.emplace(std::move(elsewhere));
    }
    bool at_end() { return place_ == std::default_sentinel; }
    mark look() { return real_.of(seen::yielded, *place_); }
    void next() { ++place_; }
    mark finish() { return real_.of(seen::finished, real_.range->finish()); }
    template <class F> void take(int n, F f) {
        for (attempt& a : std::ranges::ref_view(*real_.range) | std::views::take(n)) f(real_.of(seen::yielded, a));
    }
    void move_body() {
        if (response* res = (*place_).response()) const std::string taken = std::move(res->body);
    }
    r2::ended ended() const { return real_.range->ended(); }
    void advance(duration d) { real_.fake.advance(d); }
    void request_stop() { real_.stop.request_stop(); }
    void destroy() {
        if (real_.range->summary().find(secret) != std::string::npos) real_.told_secret = true;
        real_.range.reset();
    }
    mark now(seen what) const { return real_.now(what); }
    void append_record(course& out) {
        for (const duration d : real_.fake.waits()) out.push_back({.seen = seen::slept, .wait = d});
        for (const request& q : real_.fake.requests()) {
            const auto which = std::find(methods.begin(), methods.end(), q.method) - methods.begin();
            out.push_back(
                {.seen = seen::sent, .who = static_cast<int>(which), .number = q.headers.contains("Idempotency-Key")});
        }
    }
    bool told_secret() const { return real_.told_secret; }

private:
    real real_;
    decltype(real_.range->begin()) place_ = {};
};

/// Consumes the range as the case says, and marks all that this shows.
template <class Side> class consume {
public:
    consume(const loop_case& c, Side& s, course& out) : c_(c), s_(s), out_(out) {
        try {
            if (c.consumer.at == 0) meddle();
            s_.begin();
            if (c.consumer.at == 0 && c.consumer.leaving == leaving::destroys)
                leave(seen::left, 0);
            else
                run();
        } catch (const oops& e) {
            leave(seen::threw, e.seed == c.seed ? e.where : -1);
        } catch (const std::logic_error&) {  // the fake client's word on a wait that never ends
            leave(seen::threw, 99);
        }
        s_.destroy();
        s_.append_record(out_);
        leave_now(seen::left, 0);
    }

private:
    void run() {
        switch (c_.consumer.kind) {
            case consumer::finishes:
                return finish();
            case consumer::takes:
                s_.take(c_.consumer.take, [this](const mark& m) {
                    out_.push_back(m);
                    if (m.number == c_.consumer.at) meddle();
                });
                return leave(seen::left, 0);
            case consumer::runs:
                return loop();
        }
    }

    void loop() {
        constexpr int most = 10;
        for (int turn = 1; turn <= most; ++turn, s_.next()) {
            if (turn == c_.consumer.skips) s_.next();
            const int least = turn > 1 || c_.consumer.skips == 1;  // whether there is a second has to be asked
            for (int i = 0; i < std::max(least, c_.consumer.compares); ++i)
                if (s_.at_end()) return leave(seen::at_end, 0);
            show(c_.consumer.dereferences);
            if (turn != c_.consumer.at) continue;
            meddle();
            if (c_.consumer.moves_body) s_.move_body();
            switch (c_.consumer.leaving) {
                case leaving::destroys:
                    return leave(seen::left, 0);
                case leaving::finishes:
                    return finish();
                case leaving::throws:
                    throw oops{c_.seed, 40};
                case leaving::resumes:
                    s_.move_range();
                    s_.begin();
                    show(1);
                    break;
                case leaving::stays:
                    break;
            }
        }
        leave(seen::left, 0);
    }

    void show(int times) {
        for (int i = 0; i < times; ++i) {
            out_.push_back(s_.look());
            out_.back().who = static_cast<int>(s_.ended());
        }
    }

    void finish() {
        out_.push_back(s_.finish());
        s_.begin();
        leave(seen::at_end, s_.at_end() ? 0 : -1);
    }

    void meddle() {
        if (c_.consumer.advances > 0ns) s_.advance(c_.consumer.advances);
        if (c_.consumer.stops) s_.request_stop();
    }

    void leave(seen how, int where) {
        leave_now(how, where);
        out_.back().ended = s_.ended();
        if (how == seen::at_end && !s_.at_end()) leave_now(seen::left, -1);
        // Whose own callable threw, and not the loop's body, is at the end, however often it looks.
        if (how == seen::threw && where != 40) {
            s_.begin();
            leave_now(seen::at_end, s_.at_end() ? 0 : -1);
        }
    }

    void leave_now(seen how, int where) {
        out_.push_back(s_.now(how));
        out_.back().who = where;
    }

    const loop_case& c_;
    Side& s_;
    course& out_;
};

}  // namespace r2::property
