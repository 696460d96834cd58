#pragma once

#include <algorithm>
#include <stdexcept>

#include "property/mark.hpp"

namespace r2::property {

/// Consumes a range, the loop's or the model's, as the case says, and marks all that this shows.
template <class Range> class consume {
public:
    consume(const loop_case& c, Range& r, trace& out) : c_(c), range_(r), out_(out) {
        try {
            run();
        } catch (const oops& thrown) {
            threw(thrown);
        } catch (const std::logic_error&) {  // the fake client's word on a wait that nothing ends
            leave(seen::stuck);
            end();
        } catch (...) {
            threw({});  // by nobody of the user's
        }
        range_.destroy();
        range_.append_record(out_);
        out_.push_back(range_.now(seen::left));
    }

private:
    void run() {
        const bool at_first = c_.consumer.at == 0;
        if (at_first) meddle();
        range_.begin();
        if (at_first && c_.consumer.leaving == leaving::destroys) return leave(seen::left);
        switch (c_.consumer.kind) {
            case consumer::finishes:
                return finish();
            case consumer::takes:
                return take();
            case consumer::runs:
                return loop();
        }
    }

    void finish() {
        out_.push_back(range_.finish());
        end();
    }

    void take() {
        range_.take(c_.consumer.take, [this](const mark& m) {
            out_.push_back(m);
            if (m.number == c_.consumer.at) meddle();
        });
        leave(seen::left);
    }

    void loop() {
        constexpr int most = 10;
        for (int turn = 1; turn <= most; ++turn, range_.next()) {
            if (turn == c_.consumer.skips) range_.next();
            const int least = turn > 1 || c_.consumer.skips == 1;  // whether there is a second has to be asked
            for (int i = 0; i < std::max(least, c_.consumer.compares); ++i)
                if (range_.at_end()) return end();
            show(c_.consumer.dereferences);
            if (turn != c_.consumer.at) continue;
            meddle();
            if (c_.consumer.moves_body) range_.move_body();
            switch (c_.consumer.leaving) {
                case leaving::destroys:
                    return leave(seen::left);
                case leaving::finishes:
                    return finish();
                case leaving::throws:
                    throw oops{c_.seed, thrower::body};
                case leaving::resumes:
                    range_.move_range();
                    range_.begin();
                    show(1);
                    break;
                case leaving::stays:
                    break;
            }
        }
        leave(seen::left);
    }

    void show(int times) {
        for (int i = 0; i < times; ++i) {
            out_.push_back(range_.look());
            out_.back().range_ended = range_.ended();
        }
    }

    void meddle() {
        if (c_.consumer.advances > 0ns) range_.advance(c_.consumer.advances);
        if (c_.consumer.stops) range_.request_stop();
    }

    /// Notes an exception. If a callable threw it, and not the body, the range is at its end.
    void threw(const oops& thrown) {
        leave(seen::threw);
        out_.back().thrown = thrown;
        if (thrown.who != thrower::body) end();
    }

    /// Where the range is at its end, and stays there: however often it is asked, and also if it is begun again.
    void end() {
        leave(range_.at_end() ? seen::at_end : seen::not_at_end);
        range_.begin();
        if (!range_.at_end()) leave(seen::not_at_end);
    }

    void leave(seen how) {
        out_.push_back(range_.now(how));
        out_.back().range_ended = range_.ended();
    }

    const loop_case& c_;
    Range& range_;
    trace& out_;
};

}  // namespace r2::property
