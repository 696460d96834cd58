#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "r2/config.hpp"
#include "r2/policy/http_date.hpp"
#include "r2/words/attempt.hpp"
#include "r2/words/error.hpp"
#include "r2/words/request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2 {

/// Records each attempt of all ranges that have its observer. Bounded and thread-safe.
///
///     r2::journal log;
///     r2::get(url, {.max_attempts = 3, .on_attempt = log.observer()}).finish();
///     std::cerr << log;
///
/// Holds the paths of URLs, but no headers, bodies, credentials or queries. A copy is the same journal.
class journal {
public:
    struct entry {
        wall_time time = {};  ///< The time of the decision.
        std::string method = {};
        std::string url = {};  ///< As "https://host/path?…".
        int number = 1;
        int sends = 0;
        int status = 0;            ///< 0 if there was no response.
        errc error = {};           ///< `errc{}` if there was a response.
        std::string message = {};  ///< The error's message, or empty.
        duration elapsed = {};
        r2::ended ended = r2::ended::not_yet;
        std::string refusal = {};  ///< The guard's reason if `ended` is `refused`, or empty.
        duration wait = {};
        wait_source wait_from = wait_source::none;
    };

    /// Keeps the newest `capacity` entries; 0 only counts attempts. Calls `clock` once an attempt, on the range's
    /// thread.
    explicit journal(std::size_t capacity = 1000, std::function<wall_time()> clock = std::chrono::system_clock::now);
    journal(const journal&) = default;  // no move: a moved-from journal would have no record
    journal& operator=(const journal&) = default;

    /// Returns a callable for `options::on_attempt`. It may be copied, shared by many threads, and outlive the journal.
    auto observer() const {
        return [to = record_](const request& q, const attempt& a) { add(*to, q, a); };
    }

    /// Copies the entries, oldest first.
    std::vector<entry> entries() const;

    /// Returns how many attempts were dropped for lack of room.
    std::uint64_t dropped() const;

    /// Writes one JSON object per line, oldest first. Durations are in seconds. A value that the attempt lacks is null.
    void json_lines(std::ostream& out) const;

    /// Prints a table, oldest first.
    friend std::ostream& operator<<(std::ostream& out, const journal& j);

private:
    class record;

    static void add(record& to, const request& q, const attempt& a);

    std::shared_ptr<record> record_;  // shared by all copies and observers
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/journal.ipp"
#endif
