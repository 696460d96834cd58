#pragma once

#include <pthread.h>
#include <signal.h>

#include <stop_token>
#include <thread>

namespace support {

/// Stops on Ctrl-C and SIGTERM. Call it before any thread is started: each inherits that these signals are blocked, so
/// that only the one which waits for them here gets them, as a plain thread and not within a signal handler.
inline std::stop_token stop_on_interrupt() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    std::stop_source source;
    std::thread([signals, source]() mutable {
        int which = 0;
        sigwait(&signals, &which);
        source.request_stop();
    }).detach();  // it has nothing that would have to be tidied up
    return source.get_token();
}

}  // namespace support
