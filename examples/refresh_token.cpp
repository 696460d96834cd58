/// Asks for something that takes a token, which has expired: gets a fresh one at the first 401 and tries again, once.
#include <chrono>
#include <iostream>
#include <r2/r2.hpp>
#include <string>

#include "support/job_server.hpp"

using namespace std::chrono_literals;

namespace {

support::answer guarded(const std::string& request) {
    if (request.find("\r\nAuthorization: Bearer fresh\r\n") == std::string::npos) return {.status = 401};
    return {.body = "the secret of the day"};
}

/// Stands for a request to whoever issues tokens: a hook may well run a range of its own.
std::string fetch_token() { return "fresh"; }

}  // namespace

int main() {
    support::job_server server(guarded);
    std::string token = "expired";
    int refusals = 0;

    auto range = r2::get(
        server.url("/secret"),
        {
            .max_attempts = 4,
            // A second 401 is the answer: the fresh token isn't good enough either.
            .retry_if = r2::transient || [&](const r2::response& res) { return res.status == 401 && refusals == 1; },
            .backoff = r2::backoff::exponential(100ms),
            // Each attempt gets a copy of the request, so that it always carries the latest token.
            .before_attempt = [&](r2::request& q) { q.headers.set("Authorization", "Bearer " + token); },
            .after_attempt =
                [&](const r2::request&, r2::attempt& a) {
                    if (r2::status_is(401)(a) && ++refusals == 1) token = fetch_token();
                },
        });
    for (auto&& attempt : range) {
        auto&& [res, err] = attempt;
        std::cout << attempt.number() << ": ";
        if (res) std::cout << res->status << ' ' << res->body << '\n';
        if (err) std::cout << err.message() << '\n';
    }
    return range.ended() == r2::ended::succeeded ? 0 : 1;
}
