#pragma once

#include <string>

#include <r2/testing.hpp>

#include "property/case.hpp"

namespace r2::property {

/// A date of the fake client's first minute.
inline std::string http_date(duration since_beginning) {
    const auto n = since_beginning / 1s;
    std::string text = "Thu, 01 Jan 2026 00:00:00 GMT";
    text[23] = static_cast<char>('0' + n / 10);
    text[24] = static_cast<char>('0' + n % 10);
    return text;
}

inline headers headers_of(const step& s) {
    headers h;
    const auto malformed = {"-1", "1.5", "120s", "soon", "", "Thu, 01 Jan 2026 00:00:09"};
    if (s.asks == asks::seconds)
        h.add("Retry-After", s.wait == duration::max() ? "99999999999999999999" : std::to_string(s.wait / 1s));
    if (s.asks == asks::date) h.add("Retry-After", http_date(s.wait));
    if (s.asks == asks::milliseconds) h.add("retry-after-ms", std::to_string(s.wait / 1ms));
    if (s.asks == asks::malformed) h.add("Retry-After", malformed.begin()[s.wait / 1s]);
    if (s.asks == asks::past_date) h.add("Retry-After", "Wed, 31 Dec 2025 23:59:59 GMT");
    if (s.asks == asks::date_by_its_own_clock) {
        h.add("Date", http_date(30s));
        h.add("Retry-After", http_date(30s + s.wait));
    }
    if (h.contains("Retry-After")) h.add("Retry-After", "9");  // of several, the first counts
    return h;
}

inline response response_of(const step& s) {
    return {s.status, headers_of(s), s.body ? std::string(secret) : std::string()};
}

/// Writes the script of the server in this case.
inline void write_script(const loop_case& c, testing::fake_client& fake) {
    for (int i = 0; i < c.steps; ++i) {
        const step& s = c.script[static_cast<std::size_t>(i)];
        if (s.throws)
            fake.reply_with([seed = c.seed](const request&) -> int { throw oops{seed, thrower::script}; });
        else if (!s.status)
            fake.fail_after(s.after, error(s.kind, {}, s.sent));
        else
            fake.reply_after(s.after, response_of(s));
    }
    fake.forever();
}

}  // namespace r2::property
