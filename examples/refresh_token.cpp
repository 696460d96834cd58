/// Requests a protected resource with an expired token. At the first 401 it gets a fresh token and tries once more.
#include "refresh_token.hpp"

#include <chrono>
#include <iostream>
#include <r2/r2.hpp>
#include <r2/testing/server.hpp>

int main() {
    using namespace std::chrono_literals;

    r2::testing::server server;
    server.handle([](const r2::testing::recorded_request& q) {
        const bool authorized = q.headers.get("Authorization").value_or("") == "Bearer fresh";
        return authorized ? r2::testing::reply(200, "the secret of the day") : r2::testing::reply(401);
    });

    // Stands for a request to the issuer of tokens.
    examples::credentials mine{.token = "expired", .fresh_token = [] { return "fresh"; }};
    const r2::options how{.max_attempts = 4, .backoff = r2::backoff::exponential(100ms)};
    const r2::ended end = examples::get_guarded(server.url("/secret"), mine, how, std::cout);
    return end == r2::ended::succeeded ? 0 : 1;
}
