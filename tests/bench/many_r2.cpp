/// Keeps many GETs in flight on one thread by r2::all.
/// usage: many_r2 PORT IN_FLIGHT COUNT
#include <cstdlib>
#include <iostream>
#include <ranges>
#include <string>

#include <r2/r2.hpp>

#include "many_cost.hpp"

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: many_r2 PORT IN_FLIGHT COUNT\n";
        return 2;
    }
    const int in_flight = std::atoi(argv[2]), count = std::atoi(argv[3]);
    const std::string base = std::string("http://127.0.0.1:") + argv[1] + "/jobs/";
    bench::cost cost(2 * in_flight, count - in_flight);
    int good = 0;
    auto urls =
        std::views::iota(0, count + in_flight) | std::views::transform([&](int i) { return base + std::to_string(i); });
    const r2::options policy{
        .max_attempts = 3, .timeout = std::chrono::seconds(20), .headers = {{"Accept", "application/json"}}};
    for (auto&& [job, res, err] : r2::all(urls, policy, {.max_in_flight = in_flight, .max_per_host = 0})) {
        good += res && res->status == 200 && !res->body.empty() && !res->headers.empty();
        cost.count();
    }
    return cost.print(good);
}
