#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace r2::testkit {

/// An endless text: `lead`, then `period` over and over.
struct endless_text {
    std::string lead;
    std::string period;

    std::string first(std::size_t size) const {
        std::string text = lead;
        while (text.size() < size) text += period;
        return text.substr(0, size);
    }
};

/// Packs a text with gzip's fixed codes (RFC 1952, RFC 1951 3.2.6): copies of 258 bytes take 13 to 15 bits each. The
/// result is endless and periodic too, so it can be packed again.
inline endless_text gzipped(const endless_text& text) {
    std::string bytes("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    int free_bits = 0;
    const auto bit = [&](unsigned b) {
        if (free_bits == 0) bytes += '\0', free_bits = 8;
        bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | b << (8 - free_bits));
        --free_bits;
    };
    const auto number = [&](unsigned value, int bits) {
        for (int i = 0; i < bits; ++i) bit(value >> i & 1);
    };
    const auto code = [&](unsigned value, int bits) {
        for (int i = bits; i-- > 0;) bit(value >> i & 1);
    };
    number(0b010, 3);  // not the last block, fixed codes
    for (const char c : text.lead + text.period) {
        const auto byte = static_cast<unsigned char>(c);
        byte < 144 ? code(0x30U + byte, 8) : code(0x190U + byte - 144, 9);
    }
    const std::size_t lead = bytes.size();

    const auto back = static_cast<unsigned>(text.period.size() - 1);
    int log = 0;
    while (back >> (log + 1)) ++log;
    const int extra = back < 4 ? 0 : log - 1;
    const unsigned distance = back < 4 ? back : 2U * log + (back >> (log - 1) & 1U);
    const std::size_t period = 13 + static_cast<std::size_t>(extra);  // of eight copies
    while (bytes.size() <= lead + period) {
        code(0xC5, 8);
        code(distance, 5);
        number(back, extra);
    }
    return {bytes.substr(0, lead), bytes.substr(lead, period)};
}

}  // namespace r2::testkit
