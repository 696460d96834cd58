#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace r2::inline v0_2 {

namespace detail {

/// Returns 64 bits from the operating system. Blocks only while the machine boots.
inline std::uint64_t entropy() noexcept {
    std::uint64_t bits = 0;
    if (::getentropy(&bits, sizeof bits) == 0) return bits;
    // Without getentropy: time and address differ between calls. Enough for jitter; weak for fresh_key.
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
           (static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&bits)) << 20);
}

/// The generator SplitMix64 (Steele, Lea and Flood, 2014). Not for secrets.
class splitmix64 {
public:
    constexpr explicit splitmix64(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

    /// Returns a number in [0, 1).
    constexpr double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

private:
    std::uint64_t state_;
};

}  // namespace detail

/// Makes a value for `options::idempotency_key`: a random UUID (RFC 9562, version 4).
inline std::string fresh_key() {
    constexpr char hex[] = "0123456789abcdef";
    std::string key = "xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx";
    std::uint64_t bits = 0;
    int left = 0;
    for (char& c : key) {
        if (c != 'x' && c != 'N') continue;
        if (left == 0) {
            bits = detail::entropy();
            left = 16;
        }
        c = hex[c == 'N' ? 8 + (bits & 3) : bits & 15];
        bits >>= 4;
        --left;
    }
    return key;
}

}  // namespace r2::inline v0_2
