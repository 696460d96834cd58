#pragma once

#include <algorithm>
#include <string_view>

#include "property/case.hpp"

namespace r2::property {

/// The answer to a question about an attempt, of whichever form.
inline bool holds(question q, int number, int outcome) {
    switch (q) {
        case question::always:
            return true;
        case question::is_200:
            return outcome == 200;
        case question::is_4xx_or_5xx:
            return outcome >= 400;
        case question::is_timeout:
            return outcome == -static_cast<int>(errc::timeout);
        case question::from_4:
            return number >= 4;
        case question::no_response:
            return outcome < 0;
        default:
            return false;
    }
}

/// The default of `retry_if`.
inline bool is_transient(int outcome) {
    if (outcome > 0) return outcome == 429 || outcome >= 500;
    switch (static_cast<errc>(-outcome)) {
        case errc::resolve:
        case errc::connect:
        case errc::timeout:
        case errc::disconnected:
        case errc::protocol:
            return true;
        default:  // tls: these weren't said to have broken in the handshake
            return false;
    }
}

/// Of the request as it was sent, which is what may be repeated.
inline bool safe_to_repeat(int method, bool key) {
    const std::string_view m = methods[static_cast<std::size_t>(method)];
    return key || m == "GET" || m == "HEAD" || m == "PUT" || m == "DELETE" || m == "OPTIONS" || m == "TRACE";
}

/// How long this answer asks to wait, when it has come; 0: it doesn't.
inline duration asked_by(const step& s, duration now) {
    switch (s.asks) {
        case asks::seconds:
        case asks::milliseconds:
        case asks::date_by_its_own_clock:
            return s.wait;
        case asks::date:
            return std::max(s.wait - now, duration{});
        default:
            return {};
    }
}

}  // namespace r2::property
