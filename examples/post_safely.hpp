#pragma once

#include <iostream>
#include <r2/r2.hpp>
#include <string>

namespace examples {

/// What is known of a payment in the end.
enum class payment { made, not_made, unknown };

/// Pays. What each attempt may have done counts, not only the last: after one that was sent and not answered, one that
/// never left leaves the matter open.
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
