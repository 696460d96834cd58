#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "property/model_world.hpp"

namespace r2::property {

/// Models the calls of a range's guards.
class model_guards {
public:
    model_guards(const loop_case& c, trace& out, model_world& world) : c_(c), out_(out), world_(world) {}

    struct admission {
        int refused_by = 0;  ///< Which guard, from 1.
        duration wait = {};
        std::array<bool, 2> by = {};  ///< Those that wait for its record or cancel.
    };

    /// In order, until one refuses. Those before it have admitted an attempt that doesn't come.
    void ask(int number, admission& all) {
        all = {};
        for (int i = 0; i < c_.guards; ++i) {
            const guard_plan& p = c_.guard_plans[static_cast<std::size_t>(i)];
            if (p.null) continue;
            tell(seen::admitted, {.number = number}, i, world_.now());
            if (p.stops_at == number) world_.request_stop();
            const answer a = p.answers[static_cast<std::size_t>(number - 1) % p.answers.size()];
            if (a == answer::throws) throw oops{c_.seed, thrower::admit, i};
            if (a == answer::refuse) {
                cancel(all);
                all.refused_by = i + 1;
                return;
            }
            all.by[static_cast<std::size_t>(i)] = true;
            if (a == answer::wait) all.wait = std::max(all.wait, p.wait);
        }
    }

    void cancel(admission& a) {
        for (int i = 0; i < c_.guards; ++i)
            if (take_back(a, i)) tell(seen::cancelled, {}, i, world_.now());
    }

    /// Records the attempt with all guards, even if one throws. Returns the first exception. `over` is the end of the
    /// attempt: after_attempt may have taken time since.
    std::optional<oops> record(admission& a, const mark& attempt, time_point over) {
        std::optional<oops> first;
        for (int i = 0; i < c_.guards; ++i) {
            if (!take_back(a, i)) continue;
            tell(seen::recorded, attempt, i, over);
            const bool throws = c_.guard_plans[static_cast<std::size_t>(i)].record_throws_at == attempt.number;
            if (throws && !first) first = oops{c_.seed, thrower::record, i};
        }
        return first;
    }

private:
    static bool take_back(admission& a, int i) { return std::exchange(a.by[static_cast<std::size_t>(i)], false); }

    void tell(seen what, mark m, int guard, time_point told) {
        m.guard = guard;
        m.told = told - model_world::beginning;
        out_.push_back(world_.now(what, m));
    }

    const loop_case& c_;
    trace& out_;
    model_world& world_;
};

}  // namespace r2::property
