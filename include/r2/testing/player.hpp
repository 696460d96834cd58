#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "r2/testing/channel.hpp"
#include "r2/testing/composition.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing::detail {

/// Sends the first `length` bytes of a part. Returns false if the peer left or the server stops.
inline bool play(channel& peer, const part& what, std::uint64_t length) {
    if (what.silence > duration{} && !peer.pause(what.silence)) return false;
    const std::string& pattern = *what.pattern;
    const std::uint64_t piece_limit = what.piece == 0 ? unlimited : what.piece;
    std::string block;
    std::string_view source = pattern;
    if (length > pattern.size()) {
        // So long that a piece may begin anywhere in the pattern.
        const auto wanted = std::min<std::uint64_t>(length, what.piece == 0 ? 64 * 1024 : what.piece);
        while (block.size() < wanted + pattern.size()) block += pattern;
        source = block;
    }
    std::size_t phase = 0;
    while (length > 0) {
        const auto piece = std::min({length, piece_limit, std::uint64_t{source.size() - phase}});
        const auto size = static_cast<std::size_t>(piece);
        if (!peer.write(source.data() + phase, size)) return false;
        length -= piece;
        phase += size;
        if (source.data() != pattern.data()) phase %= pattern.size();
        if (length == 0) break;
        // A write never waits if the peer reads fast enough, so an endless answer has to check for the stop.
        if (peer.stopped() || (what.gap > duration{} && !peer.pause(what.gap))) return false;
    }
    return true;
}

/// Sends all parts. Returns false if the peer left or the server stops.
inline bool play(channel& peer, const composition& all, bool head_only) {
    std::uint64_t left = head_only ? all.head_length.value_or(unlimited) : unlimited;
    for (const part& p : all.parts) {
        if (left == 0) break;
        const std::uint64_t length = std::min(left, p.length);
        if (!play(peer, p, length)) return false;
        if (left != unlimited) left -= length;
    }
    return true;
}

}  // namespace r2::inline v0_2::testing::detail
