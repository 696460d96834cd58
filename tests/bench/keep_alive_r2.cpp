/// Makes COUNT sequential GETs through one client, with a range for each.
#include <cstdlib>
#include <iostream>
#include <r2/r2.hpp>
#include <string>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: keep_alive_r2 URL COUNT\n";
        return 2;
    }
    const r2::client client;
    const std::string url = argv[1];
    long good = 0;
    for (long n = std::atol(argv[2]); n > 0; --n)
        for (auto&& [res, err] : client.get(url, {.max_attempts = 3, .timeout = std::chrono::seconds(5)}))
            good += res && res->status == 200 && !res->body.empty() && !res->headers.empty();
    std::cout << good << " good responses\n";
    return good == std::atol(argv[2]) ? 0 : 1;
}
