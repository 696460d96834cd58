#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <ratio>
#include <string>

#include "r2/words/attempt.hpp"
#include "r2/words/error.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::detail {

/// For people: tenths of a second from 1 s on, below that whole milliseconds or microseconds.
constexpr duration rounded(duration d) noexcept {
    using tenths = std::chrono::duration<duration::rep, std::deci>;
    if (d >= std::chrono::seconds(1)) return std::chrono::round<tenths>(d);
    if (d >= std::chrono::milliseconds(1)) return std::chrono::round<std::chrono::milliseconds>(d);
    return std::chrono::round<std::chrono::microseconds>(d);
}

/// The outcomes of a range so far, for a summary of one line, however many there are. Keeps the first and the last
/// streaks of equal outcomes.
class history {
public:
    /// `so_far`: since the range was first pulled, waits included.
    void add(const attempt& a, duration so_far) {
        const bool timed_out = a.error() == errc::timeout;
        const outcome latest{a.response() ? a.response()->status : 0, a.error().kind(),
                             timed_out ? rounded(a.elapsed()) : duration{}};
        if (!a.refusal().empty()) refusal_ = a.refusal();
        lasted(so_far);
        ++attempts_;
        if (streaks_ == 0 || kept(streaks_ - 1).what != latest) kept(streaks_++) = {latest, 0};
        ++kept(streaks_ - 1).times;
    }

    void lasted(duration so_far) noexcept { elapsed_ = so_far; }

    /// "3 attempts in 4.2s: 503, 503, timeout after 1s; gave up: exhausted".
    std::string summary(ended end) const {
        std::string text = attempts_ == 0 ? "no" : std::to_string(attempts_);
        text += attempts_ < 2 ? " attempt" : " attempts";
        if (attempts_ > 0) text += " in " + to_string(rounded(elapsed_));
        if (end == ended::not_yet) text += " so far";
        for (std::size_t i = 0; i < streaks_; ++i) {
            text += i == 0 ? ": " : ", ";
            if (i == begin_size && streaks_ > begin_size + end_size) {
                text += "…, ";
                i = streaks_ - end_size;
            }
            text += text_of(kept(i));
        }
        if (end == ended::not_yet) return text;
        text += end == ended::succeeded || end == ended::condition_met ? "; " : "; gave up: ";
        text += to_string(end);
        return end == ended::refused && !refusal_.empty() ? text + " (" + refusal_ + ')' : text;
    }

private:
    static constexpr std::size_t begin_size = 4, end_size = 4;

    struct outcome {
        int status = 0;
        errc kind = {};
        duration after = {};  // of a timeout only: other times never repeat

        bool operator==(const outcome&) const = default;
    };
    struct streak {
        outcome what;
        int times = 0;
    };

    static std::string text_of(const streak& s) {
        std::string text = s.what.kind == errc{} ? std::to_string(s.what.status) : std::string(to_string(s.what.kind));
        if (s.what.after > duration{}) text += " after " + to_string(s.what.after);
        if (s.times == 2) return text + ", " + text;
        return s.times > 2 ? text + " ×" + std::to_string(s.times) : text;
    }

    static constexpr std::size_t slot(std::size_t index) noexcept {
        return index < begin_size ? index : begin_size + index % end_size;
    }
    streak& kept(std::size_t index) noexcept { return kept_[slot(index)]; }
    const streak& kept(std::size_t index) const noexcept { return kept_[slot(index)]; }

    std::array<streak, begin_size + end_size> kept_ = {};
    std::size_t streaks_ = 0;
    int attempts_ = 0;
    duration elapsed_ = {};
    std::string refusal_;
};

}  // namespace r2::inline v0_2::detail
