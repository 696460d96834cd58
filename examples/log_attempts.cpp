/// Logs and counts the attempts of all requests in one place. The loops need no code for it.
#include "log_attempts.hpp"

#include <iostream>
#include <r2/r2.hpp>
#include <r2/testing/server.hpp>

int main() {
    using r2::testing::nothing, r2::testing::reply;
    r2::testing::server server;
    server.script({
        reply(200, "one"),
        reply(503),
        reply(503, "", {{"Retry-After", "1"}}),
        reply(200, "two"),
        nothing().close(),  // closes a reused connection: a GET is sent again within its attempt
        reply(200, "three"),
        reply(404),
    });

    examples::metrics seen{.log = std::clog};
    examples::print_all({server.url("/1"), server.url("/2"), server.url("/3"), server.url("/4")},
                        examples::watched_by(seen), std::cout);

    std::cout << seen.attempts << " attempts, " << seen.sends << " sends, busy for " << r2::to_string(seen.busy)
              << ", waiting for " << r2::to_string(seen.waiting) << '\n';
    for (const auto& [outcome, times] : seen.outcomes) std::cout << times << " x " << outcome << '\n';
}
