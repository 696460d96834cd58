#pragma once

#include <cstdint>
#include <cstdlib>

namespace r2::property {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t usual_loops = 100'000;
#else
inline constexpr std::uint64_t usual_loops = 1'000'000;
#endif

/// The seeds from 1 on; R2_FIRST_SEED=n begins elsewhere, R2_LOOPS=n runs as many, and R2_SEED=n that one only.
struct seeds {
    explicit seeds(std::uint64_t usual)
        : only(from_environment("R2_SEED", 0) > 0),
          first(from_environment(only ? "R2_SEED" : "R2_FIRST_SEED", 1)),
          count(only ? 1 : from_environment("R2_LOOPS", usual)) {}

    bool only;
    std::uint64_t first, count;

private:
    static std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
        const char* text = std::getenv(name);
        return text ? std::strtoull(text, nullptr, 10) : otherwise;
    }
};

}  // namespace r2::property
