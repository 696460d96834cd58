#pragma once

#include <functional>
#include <iostream>
#include <r2/r2.hpp>
#include <string>

namespace examples {

struct credentials {
    std::string token;
    std::function<std::string()> fresh_token;  ///< A hook may well run a range of its own.
};

/// Asks for something that takes a token: at the first 401 gets a fresh one and tries again, once.
inline r2::ended get_guarded(const std::string& url, credentials& mine, r2::options how, std::ostream& out) {
    int refusals = 0;
    // A second 401 is the answer: the fresh token isn't good enough either.
    how.retry_if = r2::transient || [&](const r2::response& res) { return res.status == 401 && refusals == 1; };
    // Each attempt gets a copy of the request, so that it always carries the latest token.
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
