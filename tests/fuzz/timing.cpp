/// The wait that a response asks for. Each line of the input is a header field of the response, or its body.
#include <cerrno>
#include <chrono>
#include <optional>

#include "input.hpp"
#include "r2/policy/rate_limit_fields.hpp"
#include "r2/policy/retry_after.hpp"
#include "r2/policy/server_timing.hpp"
#include "r2/policy/throttled.hpp"

using namespace r2::fuzzing;
using namespace std::chrono_literals;

namespace {

/// An independent `parse_digits`.
std::optional<r2::duration> in_unit(std::string_view text, r2::duration unit) {
    if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
    errno = 0;
    const unsigned long long number = std::strtoull(std::string(text).c_str(), nullptr, 10);
    r2::duration::rep product = 0;
    if (errno == ERANGE || __builtin_mul_overflow(number, unit.count(), &product)) return r2::duration::max();
    return r2::duration(product);
}

void try_list(std::string_view list, char separator) {
    std::size_t bytes = 0;
    r2::detail::for_each_part(list, separator, [&](std::string_view part) {
        require(!part.empty() && part.data() >= list.data() + bytes);
        require(part.find_first_not_of(" \t") == 0 && !part.ends_with(' ') && !part.ends_with('\t'));
        require(part.find('"') != part.npos || part.find(separator) == part.npos);
        bytes = static_cast<std::size_t>(part.data() - list.data()) + part.size();
    });
    require(bytes <= list.size());
}

void try_value(std::string_view value, r2::wall_time now) {
    for (const char separator : {',', ';'}) try_list(value, separator);
    for (const r2::duration unit : {1ns, r2::duration(1ms), r2::duration(1s)})
        require(r2::detail::parse_digits(value, unit) == in_unit(value, unit));

    const auto reset = r2::detail::parse_reset(value, now);
    require(reset.has_value() == in_unit(value, 1ns).has_value());
    require(!reset || *reset >= 0s);
    const auto later = r2::detail::parse_reset(value, now < r2::wall_time::max() - 1h ? now + 1h : now);
    require(!reset || later == reset || (*later < *reset && *later >= *reset - 1h));

    // Without a 0 in it, no quota is used up.
    const auto limit = r2::detail::parse_rate_limit(value, value);
    require(!limit || (*limit >= 0s && value.find('0') != value.npos && value.find('=') != value.npos));
}

void try_response(r2::response& res, r2::wall_time now) {
    const auto asked = r2::detail::server_wait(res, now);
    require(!asked || *asked > 0s);
    require(r2::detail::server_wait(res, now) == asked);
    if (const auto value = res.headers.get("Retry-After")) {
        require(asked == r2::detail::retry_after(res, now));
        if (const auto digits = in_unit(*value, 1s)) require(asked.value_or(0s) == *digits);
    } else if (const auto ms = in_unit(res.headers.get("retry-after-ms").value_or(""), 1ms)) {
        require(asked.value_or(0s) == *ms);
    }
    require(r2::throttled(res) || res.status != 429);
    require(!r2::throttled(res) || res.status >= 400);
    for (const r2::duration wait : {r2::duration(50ms), r2::duration::max() - 1s}) {
        const r2::duration amazon = r2::detail::at_least_as_amazon_asks(res, wait);
        require(amazon >= wait && amazon - wait <= 5s);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = text_of(data, size);
    r2::response res;
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const auto colon = line.find(": ");
        if (colon == line.npos)
            res.body = line;
        else
            res.headers.add(line.substr(0, colon), line.substr(colon + 2));
    }

    for (const r2::wall_time now : {r2::wall_time(1'767'225'600s), r2::wall_time::min(), r2::wall_time::max()}) {
        for (const auto& field : res.headers) try_value(field.value, now);
        for (const int status : {200, 429, 503}) {
            res.status = status;
            try_response(res, now);
        }
    }

    // Of several fields of a name the first counts. The case of the name does not.
    res.status = 429;
    r2::response shouting = res;
    shouting.headers.clear();
    for (const auto& [name, value] : res.headers) {
        std::string upper(name);
        for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
        shouting.headers.add(upper, value);
    }
    for (const auto& field : res.headers) shouting.headers.add(field.name, "7");
    const r2::wall_time now(1'767'225'600s);
    require(r2::detail::server_wait(shouting, now) == r2::detail::server_wait(res, now));
    return 0;
}
