#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "r2/policy/http_date.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/error.hpp"
#include "r2/words/log_text.hpp"
#include "r2/words/request.hpp"
#include "r2/words/table.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// RFC 3339, in UTC: "2026-01-01T00:00:00.000Z".
inline std::string timestamp(wall_time t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(t - day));
    return padded(static_cast<int>(date.year()), 4) + '-' + padded(static_cast<unsigned>(date.month()), 2) + '-' +
           padded(static_cast<unsigned>(date.day()), 2) + 'T' + padded(clock.hours().count(), 2) + ':' +
           padded(clock.minutes().count(), 2) + ':' + padded(clock.seconds().count(), 2) + '.' +
           padded(clock.subseconds().count(), 3) + 'Z';
}

}  // namespace detail

/// Keeps what happened: an entry for each attempt of all ranges that have its observer. Bounded and thread-safe.
///
///     r2::journal log;
///     r2::get(url, {.max_attempts = 3, .on_attempt = log.observer()}).finish();
///     std::cerr << log;
///
/// Holds no headers, bodies, credentials or queries; the paths of URLs it does. A copy is the same journal.
class journal {
public:
    struct entry {
        wall_time time = {};  ///< Of the decision: the attempt began `elapsed` before.
        std::string method = {};
        std::string url = {};  ///< As "https://host/path?…".
        int number = 1;
        int sends = 0;
        int status = 0;            ///< 0 where there was no response.
        errc error = {};           ///< `errc{}` where there was one.
        std::string message = {};  ///< The error's; else empty.
        duration elapsed = {};
        r2::ended ended = r2::ended::not_yet;
        std::string refusal = {};  ///< The guard's reason, where `ended` is `refused`.
        duration wait = {};
        wait_source wait_from = wait_source::none;
    };

    /// Keeps the newest `capacity` entries; 0: only counts. `clock` is asked once an attempt, on the range's thread.
    explicit journal(std::size_t capacity = 1000, std::function<wall_time()> clock = std::chrono::system_clock::now)
        : record_(std::make_shared<record>(capacity, std::move(clock))) {}
    journal(const journal&) = default;  // and no moves, so that none is ever empty
    journal& operator=(const journal&) = default;

    /// For `options::on_attempt`. May be copied, shared by many threads, and outlive the journal.
    auto observer() const {
        return [to = record_](const request& q, const attempt& a) { to->add(q, a); };
    }

    /// A copy, oldest first.
    std::vector<entry> entries() const { return record_->read().entries; }

    /// How many were too old to keep.
    std::uint64_t dropped() const { return record_->read().dropped; }

    /// One object a line, oldest first; times in seconds, and null for what an attempt doesn't have.
    void json_lines(std::ostream& out) const {
        std::string text;
        const auto or_null = [](bool has, const std::string& value) { return has ? value : "null"; };
        for (const entry& e : entries()) {
            const bool answered = e.error == errc{};
            text += "{\"time\":" + detail::quoted(detail::timestamp(e.time));
            text += ",\"method\":" + detail::quoted(e.method) + ",\"url\":" + detail::quoted(e.url);
            text += ",\"number\":" + std::to_string(e.number) + ",\"sends\":" + std::to_string(e.sends);
            text += ",\"status\":" + or_null(answered, std::to_string(e.status));
            text += ",\"error\":" + or_null(!answered, detail::quoted(to_string(e.error)));
            text += ",\"message\":" + or_null(!answered, detail::quoted(e.message));
            text += ",\"elapsed\":" + detail::seconds(e.elapsed);
            text += ",\"ended\":" + detail::quoted(to_string(e.ended));
            text += ",\"refusal\":" + or_null(!e.refusal.empty(), detail::quoted(e.refusal));
            text += ",\"wait\":" + detail::seconds(e.wait);
            text += ",\"wait_from\":" + detail::quoted(to_string(e.wait_from)) + "}\n";
        }
        out << text;
    }

    /// A table, oldest first, whose columns are as wide as what is in them.
    friend std::ostream& operator<<(std::ostream& out, const journal& j) {
        const snapshot seen = j.record_->read();
        std::vector<row> rows = {
            {"time", "method", "URL", "number", "sends", "outcome", "elapsed", "decision", "wait", "asked by"}};
        for (const entry& e : seen.entries) rows.push_back(row_of(e));
        std::string text = detail::table(rows);
        if (seen.dropped > 0) text += "older attempts dropped: " + std::to_string(seen.dropped) + '\n';
        return out << text;
    }

private:
    using row = std::array<std::string, 10>;

    struct snapshot {
        std::vector<entry> entries;
        std::uint64_t dropped;
    };

    /// What all copies and observers share.
    class record {
    public:
        record(std::size_t capacity, std::function<wall_time()> clock)
            : capacity_(capacity), clock_(std::move(clock)) {}

        void add(const request& q, const attempt& a) {
            entry e{.time = clock_(),
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
                    .wait_from = a.wait_from()};
            const std::lock_guard lock(mutex_);
            if (capacity_ > 0) entries_.push_back(std::move(e));
            if (entries_.size() > capacity_) entries_.pop_front();
            ++seen_;
        }

        snapshot read() const {
            const std::lock_guard lock(mutex_);
            return {{entries_.begin(), entries_.end()}, seen_ - entries_.size()};
        }

    private:
        const std::size_t capacity_;
        const std::function<wall_time()> clock_;
        mutable std::mutex mutex_;
        std::deque<entry> entries_;
        std::uint64_t seen_ = 0;
    };

    static row row_of(const entry& e) {
        const auto or_dash = [](bool has, const std::string& text) { return has ? detail::escaped(text) : "-"; };
        const std::string outcome = e.error == errc{} ? std::to_string(e.status) : e.message;
        const std::string decision = e.ended == ended::not_yet ? "goes on" : std::string(to_string(e.ended));
        const bool waits = e.wait_from != wait_source::none;
        return {detail::timestamp(e.time),
                or_dash(!e.method.empty(), e.method),
                or_dash(!e.url.empty(), e.url),
                std::to_string(e.number),
                std::to_string(e.sends),
                or_dash(true, outcome),
                to_string(e.elapsed),
                decision + (e.refusal.empty() ? "" : ": " + detail::escaped(e.refusal)),
                or_dash(waits, to_string(e.wait)),
                or_dash(waits, std::string(to_string(e.wait_from)))};
    }

    std::shared_ptr<record> record_;
};

}  // namespace r2::inline v0_2
