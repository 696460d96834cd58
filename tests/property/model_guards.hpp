#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "property/course.hpp"
#include "property/model_world.hpp"

namespace r2::property {

/// What the guards of a range are asked and told.
class model_guards {
public:
    model_guards(const loop_case& c, course& out, model_world& world) : c_(c), out_(out), world_(world) {}

    struct admission {
        int refused_by = 0;  ///< Which guard, from 1.
        duration wait = {};
    };

    /// In order, until one refuses. Those before it have admitted an attempt that doesn't come.
    admission ask(int number) {
        admission all;
        for (int i = 0; i < c_.guards; ++i) {
            const guard_plan& p = c_.guard_plans[static_cast<std::size_t>(i)];
            if (p.null) continue;
            tell({.seen = seen::admitted, .number = number}, i, world_.now());
            if (p.stops_at == number) world_.request_stop();
            const answer a = p.answers[static_cast<std::size_t>(number - 1) % p.answers.size()];
            if (a == answer::throws) throw oops{c_.seed, 20 + i};
            if (a == answer::refuse) {
                cancel();
                return {.refused_by = i + 1};
            }
            admitted_[static_cast<std::size_t>(i)] = true;
            if (a == answer::wait) all.wait = std::max(all.wait, p.wait);
        }
        return all;
    }

    void cancel() {
        for (int i = 0; i < c_.guards; ++i)
            if (take_back(i)) tell({.seen = seen::cancelled}, i, world_.now());
    }

    /// Which guard, from 1, threw first. All are told, whatever one of them throws, and of the moment at which the
    /// attempt was over: after_attempt may have taken its time since.
    int record(mark attempt, time_point over) {
        int thrower = 0;
        attempt.seen = seen::recorded;
        for (int i = 0; i < c_.guards; ++i) {
            if (!take_back(i)) continue;
            tell(attempt, i, over);
            const bool throws = c_.guard_plans[static_cast<std::size_t>(i)].record_throws_at == attempt.number;
            if (throws && !thrower) thrower = i + 1;
        }
        return thrower;
    }

private:
    bool take_back(int i) { return std::exchange(admitted_[static_cast<std::size_t>(i)], false); }

    void tell(mark m, int guard, time_point told) {
        m.who = guard;
        m.requests = world_.requests();
        m.now = world_.elapsed();
        m.told = told - model_world::beginning;
        out_.push_back(m);
    }

    const loop_case& c_;
    course& out_;
    model_world& world_;
    std::array<bool, 2> admitted_ = {};
};

}  // namespace r2::property
