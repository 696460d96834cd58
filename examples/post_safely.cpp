/// Pays at a shop whose connection breaks just after it has charged the card: the worst moment for a POST.
#include "post_safely.hpp"

#include <chrono>
#include <iostream>
#include <mutex>
#include <r2/r2.hpp>
#include <r2/testing/server.hpp>
#include <set>
#include <string>

namespace {

/// Charges for each request, but only once for each key. Its first response is lost.
class shop {
public:
    shop() {
        server_.handle([this](const r2::testing::recorded_request& q) { return charge(q); });
    }

    std::string url() const { return server_.url("/pay"); }

private:
    r2::testing::answer charge(const r2::testing::recorded_request& q) {
        const std::lock_guard lock(mutex_);
        const auto key = q.headers.get("Idempotency-Key");
        const bool is_new = !key || keys_.insert(std::string(*key)).second;
        if (is_new) std::cout << "    (the shop charges the card)\n";
        return ++responses_ == 1 ? r2::testing::nothing().close() : r2::testing::reply(201);
    }

    std::mutex mutex_;
    std::set<std::string> keys_;
    int responses_ = 0;
    r2::testing::server server_;  // last: it uses the rest
};

void try_to_pay(const std::string& url, r2::options how) {
    how.max_attempts = 3;
    how.backoff = r2::backoff::constant(std::chrono::milliseconds(100));
    how.content_type = "application/json";

    switch (examples::pay(url, how, std::cout)) {
        case examples::payment::made:
            std::cout << "    paid\n";
            break;
        case examples::payment::not_made:
            std::cout << "    not paid, for certain\n";
            break;
        case examples::payment::unknown:
            std::cout << "    paid or not? Ask the shop before you try again\n";
    }
}

}  // namespace

int main() {
    std::cout << "Replayed whatever happens:\n";
    try_to_pay(shop().url(), {});

    std::cout << "Replayed only when that is safe:\n";
    try_to_pay(shop().url(), {.replay = r2::replay::when_safe});

    std::cout << "Made safe by a key, by which the shop recognises a repeat:\n";
    try_to_pay(shop().url(), {.idempotency_key = r2::fresh_key(), .replay = r2::replay::when_safe});

    std::cout << "Where nobody listens:\n";
    try_to_pay("http://127.0.0.1:1/pay", {.replay = r2::replay::when_safe});
}
