#pragma once

#include <array>
#include <mutex>
#include <ostream>
#include <utility>

#include "r2/journal.hpp"
#include "r2/words/log_text.hpp"
#include "r2/words/table.hpp"

namespace r2::inline v0_2 {

class journal::record {
public:
    struct snapshot {
        std::vector<entry> entries = {};
        std::uint64_t dropped = 0;
    };

    record(std::size_t capacity, std::function<wall_time()> clock) : capacity_(capacity), clock_(std::move(clock)) {}

    wall_time now() const { return clock_(); }

    void add(entry e) {
        const std::lock_guard lock(mutex_);
        if (ring_.size() < capacity_)
            ring_.push_back(std::move(e));
        else if (capacity_ > 0)
            ring_[seen_ % capacity_] = std::move(e);
        ++seen_;
    }

    snapshot read() const {
        const std::lock_guard lock(mutex_);
        snapshot copy{.dropped = seen_ - ring_.size()};
        for (std::size_t i = 0; i < ring_.size(); ++i) copy.entries.push_back(ring_[(seen_ + i) % ring_.size()]);
        return copy;
    }

private:
    const std::size_t capacity_;
    const std::function<wall_time()> clock_;
    mutable std::mutex mutex_;
    std::vector<entry> ring_;  // once it is full, entry `seen_` replaces the oldest
    std::uint64_t seen_ = 0;
};

namespace detail {

/// Formats a time as in RFC 3339, in UTC: "2026-01-01T00:00:00.000Z".
inline std::string timestamp(wall_time t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(t - day));
    return padded(static_cast<int>(date.year()), 4) + '-' + padded(static_cast<unsigned>(date.month()), 2) + '-' +
           padded(static_cast<unsigned>(date.day()), 2) + 'T' + padded(clock.hours().count(), 2) + ':' +
           padded(clock.minutes().count(), 2) + ':' + padded(clock.seconds().count(), 2) + '.' +
           padded(clock.subseconds().count(), 3) + 'Z';
}

inline std::array<std::string, 10> table_row(const journal::entry& e) {
    const auto or_dash = [](bool has, const std::string& text) { return has ? escaped(text) : "-"; };
    const std::string outcome = e.error == errc{} ? std::to_string(e.status) : e.message;
    const std::string decision = e.ended == ended::not_yet ? "goes on" : std::string(to_string(e.ended));
    const bool waits = e.wait_from != wait_source::none;
    return {timestamp(e.time),
            or_dash(!e.method.empty(), e.method),
            or_dash(!e.url.empty(), e.url),
            std::to_string(e.number),
            std::to_string(e.sends),
            or_dash(true, outcome),
            r2::to_string(e.elapsed),
            decision + (e.refusal.empty() ? "" : ": " + escaped(e.refusal)),
            or_dash(waits, r2::to_string(e.wait)),
            or_dash(waits, std::string(to_string(e.wait_from)))};
}

inline std::string json_object(const journal::entry& e) {  // detail::quoted: ADL would also find std::quoted
    const auto or_null = [](bool has, const std::string& value) { return has ? value : "null"; };
    const bool has_response = e.error == errc{};
    std::string text = "{\"time\":" + detail::quoted(timestamp(e.time));
    text += ",\"method\":" + detail::quoted(e.method) + ",\"url\":" + detail::quoted(e.url);
    text += ",\"number\":" + std::to_string(e.number) + ",\"sends\":" + std::to_string(e.sends);
    text += ",\"status\":" + or_null(has_response, std::to_string(e.status));
    text += ",\"error\":" + or_null(!has_response, detail::quoted(to_string(e.error)));
    text += ",\"message\":" + or_null(!has_response, detail::quoted(e.message));
    text += ",\"elapsed\":" + seconds(e.elapsed);
    text += ",\"ended\":" + detail::quoted(to_string(e.ended));
    text += ",\"refusal\":" + or_null(!e.refusal.empty(), detail::quoted(e.refusal));
    text += ",\"wait\":" + seconds(e.wait);
    text += ",\"wait_from\":" + detail::quoted(to_string(e.wait_from)) + '}';
    return text;
}

}  // namespace detail

R2_INLINE journal::journal(std::size_t capacity, std::function<wall_time()> clock)
    : record_(std::make_shared<record>(capacity, std::move(clock))) {}

R2_INLINE std::vector<journal::entry> journal::entries() const { return record_->read().entries; }

R2_INLINE std::uint64_t journal::dropped() const { return record_->read().dropped; }

R2_INLINE void journal::json_lines(std::ostream& out) const {
    std::string text;
    for (const entry& e : entries()) text += detail::json_object(e) + '\n';
    out << text;
}

R2_INLINE std::ostream& operator<<(std::ostream& out, const journal& j) {
    const journal::record::snapshot seen = j.record_->read();
    std::vector<std::array<std::string, 10>> rows = {
        {"time", "method", "URL", "number", "sends", "outcome", "elapsed", "decision", "wait", "asked by"}};
    for (const journal::entry& e : seen.entries) rows.push_back(detail::table_row(e));
    std::string text = detail::table(rows);
    if (seen.dropped > 0) text += "older attempts dropped: " + std::to_string(seen.dropped) + '\n';
    return out << text;
}

R2_INLINE void journal::add(record& to, const request& q, const attempt& a) {
    to.add({.time = to.now(),
            .method = q.method,
            .url = detail::redacted(q.url),
            .number = a.number(),
            .sends = a.sends(),
            .status = a.response() ? a.response()->status : 0,
            .error = a.error().kind(),
            .message = a.error() ? a.error().message() : std::string(),
            .elapsed = a.elapsed(),
            .ended = a.ended(),
            .refusal = a.refusal(),
            .wait = a.wait(),
            .wait_from = a.wait_from()});
}

}  // namespace r2::inline v0_2
