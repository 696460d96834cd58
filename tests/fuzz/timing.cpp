/// What a server says of the time to wait: each line of the input is a field of its response.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "r2/policy/server_timing.hpp"
#include "r2/policy/throttled.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr r2::wall_time now{std::chrono::seconds(1'767'225'600)};
    constexpr r2::duration wait = std::chrono::milliseconds(50);
    std::string_view text(reinterpret_cast<const char*>(data), size);

    r2::response res{.status = 429};
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos)
            res.body = line;
        else
            res.headers.add(line.substr(0, colon), line.substr(colon + 2));
    }

    for (const int status : {200, 429, 503}) {
        res.status = status;
        const auto asked = r2::server_wait(res, now);
        require(!asked || *asked > r2::duration{});
        require(r2::server_wait(res, now) == asked);
        if (res.headers.contains("Retry-After")) require(asked == r2::retry_after(res, now));
        require(status >= 400 || !r2::throttled(res));
        const r2::duration amazon = r2::at_least_as_amazon_asks(res, wait);
        require(amazon >= wait && amazon <= wait + std::chrono::seconds(5));
    }
    return 0;
}
