/// Measures the heap of one of many jobs, libcurl's part included: in flight, and waiting for its next attempt.
/// usage: many_memory PORT_OF_A_SLOW_SERVER PORT_OF_A_FAST_SERVER JOBS [--check]
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <ranges>
#include <string>

#include <r2/r2.hpp>

namespace {

constexpr double most_in_flight = 16 << 10, most_waiting = 2 << 10;

std::size_t heap() {
    const struct mallinfo2 all = ::mallinfo2();
    return all.uordblks + all.hblkhd;
}

/// Returns the bytes of a job when `over` attempts of `jobs` jobs are over. Each of these jobs then waits for an hour.
double heap_of_job(const char* port, int jobs, int in_flight, int over) {
    const std::string base = std::string("http://127.0.0.1:") + port + "/jobs/";
    auto urls = std::views::iota(0, jobs) | std::views::transform([&](int i) { return base + std::to_string(i); });
    const r2::client client;
    const std::size_t before = heap();
    const r2::options policy{.timeout = std::chrono::minutes(5),
                             .interval = std::chrono::hours(1),
                             .terminate_if = [](const r2::response&) { return false; }};
    for (auto&& [job, res, err] : client.all(urls, policy, {.max_in_flight = in_flight, .max_per_host = 0})) {
        if (!res) {
            std::cerr << err.message() << '\n';
            std::exit(2);
        }
        if (--over == 0) return static_cast<double>(heap() - before) / jobs;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: many_memory SLOW_PORT FAST_PORT JOBS [--check]\n";
        return 2;
    }
    const int jobs = std::atoi(argv[3]);
    const double in_flight = heap_of_job(argv[1], jobs, jobs, 1), waiting = heap_of_job(argv[2], jobs, 16, jobs);
    std::cout << "heap of a job in flight: " << in_flight << " bytes (at most " << most_in_flight << ")\n"
              << "heap of a job that waits: " << waiting << " bytes (at most " << most_waiting << ")\n";
    return argc > 4 && (in_flight > most_in_flight || waiting > most_waiting) ? 1 : 0;
}
