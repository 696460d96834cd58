#pragma once

#include <iostream>
#include <r2/r2.hpp>
#include <string>

namespace examples {

/// The state of a payment in the end, as far as the client knows it.
enum class payment { made, not_made, unknown };

/// Pays. Every attempt counts, not only the last: if an earlier one was sent and got no response, the payment stays
/// unknown even if the last attempt was never sent.
inline payment pay(const std::string& url, const r2::options& how, std::ostream& out) {
    payment known = payment::not_made;
    for (auto&& [res, err] : r2::post(url, R"({"amount": 42})", how)) {
        out << "    " << (res ? std::to_string(res->status) : err.message()) << '\n';
        if (res && res->status < 300)
            known = payment::made;
        else if (res ? res->status >= 500 : err.sent() == r2::sent::maybe)
            known = payment::unknown;
    }
    return known;
}

}  // namespace examples
