#pragma once

#include <functional>
#include <iostream>
#include <r2/r2.hpp>
#include <string>

namespace examples {

struct credentials {
    std::string token;
    std::function<std::string()> fresh_token;  ///< May run a range of its own.
};

/// Requests a protected resource. At the first 401 it gets a fresh token and tries once more.
inline r2::ended get_guarded(const std::string& url, credentials& mine, r2::options how, std::ostream& out) {
    int refusals = 0;
    // A second 401 is final: the fresh token isn't accepted either.
    how.retry_if = r2::transient || [&](const r2::response& res) { return res.status == 401 && refusals == 1; };
    // Each attempt starts from a copy of the original request, so it carries only the latest token.
    how.before_attempt = [&](r2::request& q) { q.headers.set("Authorization", "Bearer " + mine.token); };
    how.after_attempt = [&](const r2::request&, r2::attempt& a) {
        if (r2::status_is(401)(a) && ++refusals == 1) mine.token = mine.fresh_token();
    };

    auto range = r2::get(url, how);
    for (auto&& attempt : range) {
        auto&& [res, err] = attempt;
        out << attempt.number() << ": ";
        if (res) out << res->status << ' ' << res->body << '\n';
        if (err) out << err.message() << '\n';
    }
    return range.ended();
}

}  // namespace examples
