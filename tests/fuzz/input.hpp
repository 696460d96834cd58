#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

/// The input of the fuzzers: text, so that the corpus can be read and written.
namespace r2::fuzzing {

inline void require(bool holds, std::source_location at = std::source_location::current()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%u: this doesn't hold\n", at.file_name(), static_cast<unsigned>(at.line()));
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Splits a text at the first `mark`, which belongs to neither part.
inline std::pair<std::string_view, std::string_view> split(std::string_view text, char mark) {
    const std::size_t place = text.find(mark);
    if (place == std::string_view::npos) return {text, {}};
    return {text.substr(0, place), text.substr(place + 1)};
}

/// Takes the first line off a text.
inline std::string_view next_line(std::string_view& text) {
    const auto [line, rest] = split(text, '\n');
    text = rest;
    return line;
}

/// "^J" stands for LF, and so on: a line can hold any byte.
inline std::string unescaped(std::string_view line) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i)
        out += line[i] == '^' && i + 1 < line.size() ? static_cast<char>(line[++i] ^ 0x40) : line[i];
    return out;
}

}  // namespace r2::fuzzing
