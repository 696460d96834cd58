#include "leftovers.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iterator>

namespace r2::testkit {

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all))) - 1;  // without the descriptor of this listing
}

}  // namespace r2::testkit

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define R2_SANITIZED
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(R2_SANITIZED)
std::size_t r2::testkit::live_blocks() { return 0; }
#else

namespace {
std::atomic<std::size_t> live = 0;

void* counted(void* block) {
    if (block) live.fetch_add(1, std::memory_order_relaxed);
    return block;
}
}  // namespace

std::size_t r2::testkit::live_blocks() { return live; }

// The C library's own functions (glibc's manual, "Replacing malloc").
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) { return counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return counted(__libc_calloc(count, size)); }
void* memalign(std::size_t alignment, std::size_t size) { return counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return counted(__libc_memalign(alignment, size)); }
int posix_memalign(void** to, std::size_t alignment, std::size_t size) {
    void* const block = counted(__libc_memalign(alignment, size));
    if (!block) return ENOMEM;
    *to = block;
    return 0;
}
void* realloc(void* block, std::size_t size) {
    void* const moved = __libc_realloc(block, size);
    if (!block) return counted(moved);
    if (!moved && size == 0) live.fetch_sub(1, std::memory_order_relaxed);
    return moved;
}
void free(void* block) {
    if (block) live.fetch_sub(1, std::memory_order_relaxed);
    __libc_free(block);
}
}

#endif
