#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "r2/words/error.hpp"

namespace r2::inline v0_2::detail {

/// Calls a function on a thread of its own for each signal (self-pipe). The handler only writes a byte, as few calls
/// are async-signal-safe.
class signal_watch {
public:
    /// Calls `then` on each signal that `add` takes.
    explicit signal_watch(std::function<void()> then) : then_(std::move(then)) {}
    signal_watch(signal_watch&&) = delete;
    ~signal_watch() {
        for (const auto& [number, before] : taken_) give_back(number, before);
        while (running_ != 0) std::this_thread::yield();  // a handler may be about to write
        if (!thread_.joinable()) return;
        if (::getpid() != process_) {  // after a fork: the thread and the pipe are the parent's
            thread_.detach();
            return;
        }
        while (::write(write_, "q", 1) < 0 && errno == EAGAIN) std::this_thread::yield();
        thread_.join();
        close_pipe();
    }

    /// Takes all of these signals, or none.
    error add(std::initializer_list<int> signals) {
        if (error bad = start()) return bad;
        const std::size_t before = taken_.size();
        taken_.reserve(before + signals.size());
        for (const int number : signals) {
            error bad = take(number);
            if (!bad) continue;
            for (; taken_.size() > before; taken_.pop_back()) give_back(taken_.back().first, taken_.back().second);
            return bad;
        }
        return {};
    }

private:
    // Shared with the handlers, so lock-free and constant-initialised. For each signal the descriptor of its pipe + 1,
    // or 0 if no watch has it.
    static_assert(std::atomic<int>::is_always_lock_free);
    static inline std::array<std::atomic<int>, 128> pipes_ = {};
    static inline std::atomic<int> running_ = 0;
    static inline std::atomic<::pid_t> process_ = 0;

    static void write_signal(int number) noexcept {
        const int before = errno;
        ++running_;
        // A full pipe has signals enough. After a fork, the pipe is the parent's.
        if (const int pipe = pipes_[static_cast<std::size_t>(number)]; pipe != 0 && ::getpid() == process_) {
            [[maybe_unused]] const auto written = ::write(pipe - 1, "s", 1);
        }
        --running_;
        errno = before;
    }

    static error failure(const std::string& what, int code) {
        return {errc::local, what + ": " + std::generic_category().message(code)};
    }

    error start() {
        if (thread_.joinable()) return {};
        int ends[2] = {};
        if (::pipe(ends) != 0) return failure("a pipe for signals", errno);
        read_ = ends[0];
        write_ = ends[1];
        ::fcntl(read_, F_SETFD, FD_CLOEXEC);
        ::fcntl(write_, F_SETFD, FD_CLOEXEC);
        ::fcntl(write_, F_SETFL, O_NONBLOCK);  // a handler must not wait
        process_ = ::getpid();

        const all_signals_blocked inherited;
        try {
            thread_ = std::thread([this] { listen(); });
        } catch (const std::system_error& e) {
            close_pipe();
            return failure("a thread for signals", e.code().value());
        } catch (...) {
            close_pipe();
            throw;
        }
        return {};
    }

    /// Blocks all signals, so that a thread that starts meanwhile takes none from the program's own threads.
    struct all_signals_blocked {
        all_signals_blocked() {
            sigset_t all;
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, &before);
        }
        ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
        sigset_t before;
    };

    void close_pipe() const noexcept {
        ::close(read_);
        ::close(write_);
    }

    void listen() const {
        for (;;) {
            char what = 0;
            const auto got = ::read(read_, &what, 1);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0 || what == 'q') return;
            then_();
        }
    }

    error take(int number) {
        const std::string name = "signal " + std::to_string(number);
        if (number <= 0 || number >= static_cast<int>(pipes_.size())) return failure(name, EINVAL);
        auto& pipe = pipes_[static_cast<std::size_t>(number)];
        if (int listener = 0; !pipe.compare_exchange_strong(listener, write_ + 1))
            return listener == write_ + 1 ? error() : error(errc::local, name + " belongs to another shutdown");

        struct sigaction own = {}, before = {};
        own.sa_handler = &write_signal;
        own.sa_flags = SA_RESTART;
        sigfillset(&own.sa_mask);
        if (::sigaction(number, &own, &before) != 0) {
            pipe = 0;
            return failure(name, errno);
        }
        taken_.emplace_back(number, before);
        return {};
    }

    static void give_back(int number, const struct sigaction& before) noexcept {
        struct sigaction now = {};
        ::sigaction(number, nullptr, &now);
        // A handler that was set since then stays.
        if (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == &write_signal) ::sigaction(number, &before, nullptr);
        pipes_[static_cast<std::size_t>(number)] = 0;
    }

    std::function<void()> then_;
    std::vector<std::pair<int, struct sigaction>> taken_;
    int read_ = -1;
    int write_ = -1;
    std::thread thread_;
};

}  // namespace r2::inline v0_2::detail
