#include "names.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>
#include <string_view>

namespace r2::testkit {
namespace {

struct state {
    std::mutex mutex;
    std::condition_variable changed;
    bool hanging = false;
    std::size_t begun = 0;
    std::size_t inside = 0;

    // Never destroyed: libcurl never joins the threads of its look-ups.
    static state& only() {
        static state& s = *new state;
        return s;
    }
};

bool hangs(std::string_view name) { return name == "hangs.test" || name.ends_with(".hangs.test"); }

int hang() {
    state& s = state::only();
    std::unique_lock lock(s.mutex);
    ++s.begun;
    ++s.inside;
    s.changed.notify_all();
    s.changed.wait(lock, [&] { return !s.hanging; });
    --s.inside;
    s.changed.notify_all();
    return EAI_AGAIN;
}

}  // namespace

hung_names::hung_names() {
    state& s = state::only();
    const std::lock_guard lock(s.mutex);
    s.hanging = true;
    s.begun = 0;
}

hung_names::~hung_names() {
    state& s = state::only();
    std::unique_lock lock(s.mutex);
    s.hanging = false;
    s.changed.notify_all();
    s.changed.wait(lock, [&] { return s.inside == 0; });
}

bool hung_names::wait_for_lookups(std::size_t count, std::chrono::milliseconds timeout) const {
    state& s = state::only();
    std::unique_lock lock(s.mutex);
    return s.changed.wait_for(lock, timeout, [&] { return s.begun >= count; });
}

}  // namespace r2::testkit

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
    if (name && r2::testkit::hangs(name)) return r2::testkit::hang();
    using function = decltype(&getaddrinfo);
    static const auto next = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return next ? next(name, service, hints, found) : EAI_SYSTEM;
}
