/// Pays at a shop whose connection breaks just after it has charged the card: the worst moment there is for a POST.
#include <chrono>
#include <cstddef>
#include <iostream>
#include <r2/r2.hpp>
#include <set>
#include <string>

#include "support/job_server.hpp"

using namespace std::chrono_literals;

namespace {

/// Charges for each request, but only once for each key, and loses its first answer.
class shop {
public:
    support::answer operator()(const std::string& request) {
        const std::size_t key = request.find("Idempotency-Key:");
        const bool is_new =
            key == std::string::npos || keys_.insert(request.substr(key, request.find('\r', key))).second;
        if (is_new) std::cout << "    (the shop charges the card)\n";
        return ++answers_ == 1 ? support::answer{.cut_after = 0} : support::answer{.status = 201};
    }

private:
    std::set<std::string> keys_;
    int answers_ = 0;
};

void pay(const std::string& url, r2::options how) {
    how.max_attempts = 3;
    how.backoff = r2::backoff::constant(100ms);

    auto&& [res, err] = r2::post(url, R"({"amount": 42})", how).finish();
    if (res)
        std::cout << "    " << res->status << ": paid\n";
    else if (err.sent() == r2::sent::no)
        std::cout << "    " << err.message() << "\n    not paid, for certain: nothing was sent\n";
    else
        std::cout << "    " << err.message() << "\n    paid or not? Ask the shop before you try again\n";
}

}  // namespace

int main() {
    std::cout << "Replayed whatever happens:\n";
    pay(support::job_server(shop()).url("/pay"), {.content_type = "application/json"});

    std::cout << "Replayed only when that is safe:\n";
    pay(support::job_server(shop()).url("/pay"), {.content_type = "application/json", .replay = r2::replay::when_safe});

    std::cout << "Made safe by a key, by which the shop knows it again:\n";
    pay(support::job_server(shop()).url("/pay"),
        {.content_type = "application/json", .idempotency_key = r2::fresh_key(), .replay = r2::replay::when_safe});

    std::cout << "Where nobody listens:\n";
    pay("http://127.0.0.1:1/pay", {.content_type = "application/json", .replay = r2::replay::when_safe});
}
