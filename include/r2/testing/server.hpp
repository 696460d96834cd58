#pragma once

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/testing/answer.hpp"
#include "r2/testing/fault.hpp"
#include "r2/testing/listener.hpp"
#include "r2/testing/player.hpp"
#include "r2/testing/recorded_request.hpp"
#include "r2/testing/request_reader.hpp"
#include "r2/testing/sockets.hpp"
#include "r2/words/headers.hpp"
#include "r2/words/time.hpp"

namespace r2::testing {

/// Serves HTTP/1.1 by a script, on a free port of 127.0.0.1, from its construction to its destruction. All members may
/// be called from any thread, and while it serves.
///
///     using namespace r2::testing;
///     server s;
///     s.on("/job", {reply(503), reply(200, "half").cut_body(2), nothing().reset(), reply(200, "done")});
class server {
public:
    server() = default;
    /// Drops all connections, whatever they are doing, and waits for handlers to return.
    ~server() = default;
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Returns the port, which stays the same.
    std::uint16_t port() const { return connections_.port(); }

    /// Makes a URL of this server: `target` is a path, with or without a query.
    std::string url(std::string_view target = "/") const { return detail::url_of(port(), target); }

    /// Adds answers, one per request in order over all connections. A request looks for its answer in the script of its
    /// path, then here, then in the handler, then takes the default.
    void script(std::vector<answer> answers) {
        const std::lock_guard lock(mutex_);
        std::move(answers.begin(), answers.end(), std::back_inserter(script_));
    }

    /// Adds answers to the script of a path, which is compared without the query.
    void on(std::string path, std::vector<answer> answers) {
        const std::lock_guard lock(mutex_);
        std::move(answers.begin(), answers.end(), std::back_inserter(paths_[std::move(path)]));
    }

    /// Sets what answers the requests that no script does. It runs on connection threads, several at a time, and must
    /// return: the destructor waits for it. What it throws becomes a 500.
    void handle(std::function<answer(const recorded_request&)> handler) {
        const std::lock_guard lock(mutex_);
        handler_ = std::make_shared<const std::function<answer(const recorded_request&)>>(std::move(handler));
    }

    /// Sets the answer where there is no other; `reply(200, "ok")` unless set.
    void default_answer(answer what) {
        const std::lock_guard lock(mutex_);
        default_ = std::make_shared<const answer>(std::move(what));
    }

    /// Sets what is played between head and body of a request with "Expect: 100-continue"; nothing unless set. An
    /// answer with an end ends the request with it.
    void on_expect(answer what) {
        const std::lock_guard lock(mutex_);
        on_expect_ = std::make_shared<const answer>(std::move(what));
    }

    /// Sets what befalls one connection: from 1, in the order of acceptance.
    void on_connection(int number, fault what) {
        const std::lock_guard lock(mutex_);
        faults_[number] = std::move(what);
    }

    /// Sets what befalls all connections that `on_connection` says nothing of.
    void on_every_connection(fault what) {
        const std::lock_guard lock(mutex_);
        every_ = std::move(what);
    }

    /// Refuses new connections from now on; those that are open stay.
    void refuse() { connections_.refuse(); }

    /// Turns the recording of bodies off, but for their sizes and hashes, or on again.
    void keep_bodies(bool keep) {
        const std::lock_guard lock(mutex_);
        keep_bodies_ = keep;
    }

    /// Turns the recording of requests off, but for their count, or on again.
    void keep_requests(bool keep) {
        const std::lock_guard lock(mutex_);
        keep_requests_ = keep;
    }

    /// Copies the requests so far, in order. A request is among them before its answer goes out.
    std::vector<recorded_request> requests() const {
        const std::lock_guard lock(mutex_);
        std::vector<recorded_request> copy;
        copy.reserve(log_.size());
        for (const auto& request : log_) copy.push_back(*request);
        return copy;
    }

    /// Counts the requests so far, recorded or not.
    std::size_t count() const {
        const std::lock_guard lock(mutex_);
        return count_;
    }

    /// Counts the requests of which at least a byte came, whole or not.
    std::size_t begun() const {
        const std::lock_guard lock(mutex_);
        return begun_;
    }

    /// Counts the connections so far.
    std::size_t connections() const { return connections_.accepted(); }

    /// Counts the connections that are open.
    std::size_t open_connections() const { return connections_.open(); }

    /// Waits until `count()` has come so far; false on the timeout.
    bool wait_for_requests(std::size_t count, duration timeout) const {
        return wait(timeout, [&] { return count_ >= count; });
    }

    /// Waits until `begun()` has come so far; false on the timeout.
    bool wait_until_begun(std::size_t count, duration timeout) const {
        return wait(timeout, [&] { return begun_ >= count; });
    }

    /// Waits until `connections()` has come so far; false on the timeout.
    bool wait_for_connections(std::size_t count, duration timeout) const {
        return connections_.wait_for_connections(count, timeout);
    }

    /// Waits until no connection is open; false on the timeout.
    bool wait_until_all_left(duration timeout) const { return connections_.wait_until_all_left(timeout); }

private:
    using kind = fault::kind;

    template <class Met> bool wait(duration timeout, Met met) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, later(std::chrono::steady_clock::now(), timeout), met);
    }

    void serve(channel& with, int number) {
        const fault befalls = fault_of(number);
        if (befalls.what == kind::reset) return with.reset();
        if (befalls.what == kind::hang) return with.wait_until_left();
        if (befalls.what == kind::stop_reading_after_head) {
            const int small = 4096;
            ::setsockopt(with.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        }
        detail::request_reader input(with, [this] { begin(); });
        if (befalls.what == kind::close) {
            with.end_writing();
            recorded_request discarded;
            input.read_head(discarded);
            return with.close_orderly(true);
        }
        if (befalls.what == kind::reset_in_request) input.limit(befalls.bytes);
        std::optional<detail::ending> at_this_request;
        while (converse(with, number, befalls, input, at_this_request)) {
        }
    }

    /// One request and its answer; false where the connection ended.
    bool converse(channel& with, int number, const fault& befalls, detail::request_reader& input,
                  std::optional<detail::ending>& at_this_request) {
        auto request = std::make_shared<recorded_request>();
        request->connection = number;
        if (!input.read_head(*request)) return break_off(with, input);
        const auto [keep_body, on_expect] = body_settings();
        input.keep_bodies(keep_body);

        if (befalls.what == kind::stop_reading_after_head) {
            input.take_rest(*request);
            record(std::move(request));
            with.wait_until_left();
            return false;
        }
        if (befalls.what == kind::answer_after_head) {
            const bool head_only = request->method == "HEAD";
            record(std::move(request));
            const auto& said = detail::composition_of(befalls.said);
            return detail::play(with, said, head_only) && finish(with, said.end, true);
        }
        if (on_expect && r2::detail::same_name(request->header("expect"), "100-continue")) {
            const auto& said = detail::composition_of(*on_expect);
            if (!detail::play(with, said, false) || said.end != detail::ending::keep) {
                record(std::move(request));
                return finish(with, said.end, true);
            }
        }

        request->complete = input.read_body(*request);
        const std::shared_ptr<const recorded_request> logged = std::move(request);
        auto chosen = record(logged, logged->complete && !at_this_request);
        if (!logged->complete) return break_off(with, input);
        if (at_this_request) return finish(with, *at_this_request, false);
        if (!chosen) chosen = ask_handler(*logged);
        const auto& said = detail::composition_of(*chosen);
        if (!detail::play(with, said, logged->method == "HEAD")) return false;
        if (said.end != detail::ending::keep) return finish(with, said.end, false);
        at_this_request = said.next_request;
        if (said.next_request_bytes) input.limit(*said.next_request_bytes);
        return true;
    }

    static bool finish(channel& with, detail::ending how, bool more_expected) {
        detail::finish(with, how, more_expected);
        return false;
    }

    /// Within a request: the peer left, or all was read that a fault allows.
    static bool break_off(channel& with, const detail::request_reader& input) {
        if (input.exhausted()) with.reset();
        return false;
    }

    fault fault_of(int number) const {
        const std::lock_guard lock(mutex_);
        const auto found = faults_.find(number);
        return found == faults_.end() ? every_ : found->second;
    }

    std::pair<bool, std::shared_ptr<const answer>> body_settings() const {
        const std::lock_guard lock(mutex_);
        return {keep_bodies_, on_expect_};
    }

    void begin() {
        const std::lock_guard lock(mutex_);
        ++begun_;
        changed_.notify_all();
    }

    /// Who waited for this request may send the next one at once, so its answer is taken from the script in the same
    /// moment. Null where that is the handler's to say.
    std::shared_ptr<const answer> record(std::shared_ptr<const recorded_request> request, bool answered = false) {
        const std::lock_guard lock(mutex_);
        auto chosen = answered ? choose(*request) : nullptr;
        ++count_;
        if (keep_requests_) log_.push_back(std::move(request));
        changed_.notify_all();
        return chosen;
    }

    /// With mutex_ held.
    std::shared_ptr<const answer> choose(const recorded_request& request) {
        const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
        const auto of_path = paths_.find(path);
        for (std::deque<answer>* from : {of_path == paths_.end() ? nullptr : &of_path->second, &script_}) {
            if (!from || from->empty()) continue;
            auto first = std::make_shared<const answer>(std::move(from->front()));
            from->pop_front();
            return first;
        }
        return handler_ ? nullptr : default_;
    }

    std::shared_ptr<const answer> ask_handler(const recorded_request& request) const {
        std::unique_lock lock(mutex_);
        const auto handler = handler_;
        lock.unlock();  // or handlers couldn't run several at a time
        try {
            return std::make_shared<const answer>((*handler)(request));
        } catch (const std::exception& error) {
            return std::make_shared<const answer>(reply(500, error.what()));
        }
    }

    mutable std::mutex mutex_;  // guards the rest
    mutable std::condition_variable changed_;
    std::deque<answer> script_;
    std::map<std::string, std::deque<answer>, std::less<>> paths_;
    std::shared_ptr<const std::function<answer(const recorded_request&)>> handler_;
    std::shared_ptr<const answer> default_ = std::make_shared<const answer>(reply(200, "ok"));
    std::shared_ptr<const answer> on_expect_;
    std::map<int, fault> faults_;
    fault every_;
    bool keep_bodies_ = true;
    bool keep_requests_ = true;
    std::vector<std::shared_ptr<const recorded_request>> log_;
    std::size_t count_ = 0;
    std::size_t begun_ = 0;
    listener connections_{[this](channel& with, int number) { serve(with, number); }};  // last: it uses the rest
};

}  // namespace r2::testing
