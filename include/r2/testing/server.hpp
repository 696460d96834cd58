#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/testing/answer.hpp"
#include "r2/testing/channel.hpp"
#include "r2/testing/conversation.hpp"
#include "r2/testing/fault.hpp"
#include "r2/testing/listener.hpp"
#include "r2/testing/playbook.hpp"
#include "r2/testing/recorded_request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing {

/// Serves HTTP/1.1 by a script, on a free port of 127.0.0.1, from its construction to its destruction. All members may
/// be called from any thread, and while it serves.
///
///     using namespace r2::inline v0_2::testing;
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
    std::string url(std::string_view target = "/") const { return connections_.url(target); }

    /// Adds answers, one per request in order over all connections. A request looks for its answer in the script of its
    /// path, then here, then in the handler, then takes the default.
    void script(std::vector<answer> answers) {
        const auto lock = book_.guard.lock();
        std::move(answers.begin(), answers.end(), std::back_inserter(book_.script));
    }

    /// Adds answers to the script of a path, which is compared without the query.
    void on(std::string path, std::vector<answer> answers) {
        const auto lock = book_.guard.lock();
        std::move(answers.begin(), answers.end(), std::back_inserter(book_.paths[std::move(path)]));
    }

    /// Sets what answers the requests that no script does. It runs on connection threads, several at a time, and must
    /// return: the destructor waits for it. What it throws becomes a 500.
    void handle(std::function<answer(const recorded_request&)> handler) {
        const auto lock = book_.guard.lock();
        book_.handled_by = std::make_shared<const detail::playbook::handler>(std::move(handler));
    }

    /// Sets the answer where there is no other; `reply(200, "ok")` unless set.
    void default_answer(answer what) {
        const auto lock = book_.guard.lock();
        book_.default_answer = std::make_shared<const answer>(std::move(what));
    }

    /// Sets what is played between head and body of a request with "Expect: 100-continue"; nothing unless set. An
    /// answer with an end ends the request with it.
    void on_expect(answer what) {
        const auto lock = book_.guard.lock();
        book_.on_expect = std::make_shared<const answer>(std::move(what));
    }

    /// Sets what befalls one connection: from 1, in the order of acceptance.
    void on_connection(int number, fault what) {
        const auto lock = book_.guard.lock();
        book_.faults.insert_or_assign(number, std::move(what));
    }

    /// Sets what befalls all connections that `on_connection` says nothing of.
    void on_every_connection(fault what) {
        const auto lock = book_.guard.lock();
        book_.every_fault = std::move(what);
    }

    /// Refuses new connections from now on; those that are open stay.
    void refuse() { connections_.refuse(); }

    /// Turns the recording of bodies off, but for their sizes and hashes, or on again.
    void keep_bodies(bool keep) {
        const auto lock = book_.guard.lock();
        book_.keep_bodies = keep;
    }

    /// Turns the recording of requests off, but for their count, or on again.
    void keep_requests(bool keep) {
        const auto lock = book_.guard.lock();
        book_.keep_requests = keep;
    }

    /// Copies the requests so far, in order. A request is among them before its answer goes out.
    std::vector<recorded_request> requests() const {
        const auto lock = book_.guard.lock();
        std::vector<recorded_request> copy;
        copy.reserve(book_.log.size());
        for (const auto& request : book_.log) copy.push_back(*request);
        return copy;
    }

    /// Counts the requests so far, recorded or not.
    std::size_t request_count() const {
        const auto lock = book_.guard.lock();
        return book_.count;
    }

    /// Counts the requests of which at least a byte came, whole or not.
    std::size_t begun() const {
        const auto lock = book_.guard.lock();
        return book_.begun;
    }

    /// Counts the connections so far.
    std::size_t connections() const { return connections_.accepted(); }

    /// Counts the connections that are open.
    std::size_t open_connections() const { return connections_.open(); }

    /// Waits until `request_count()` has come so far; false on the timeout.
    bool wait_for_requests(std::size_t count, duration timeout) const {
        return book_.guard.wait(timeout, [&] { return book_.count >= count; });
    }

    /// Waits until `begun()` has come so far; false on the timeout.
    bool wait_until_begun(std::size_t count, duration timeout) const {
        return book_.guard.wait(timeout, [&] { return book_.begun >= count; });
    }

    /// Waits until `connections()` has come so far; false on the timeout.
    bool wait_for_connections(std::size_t count, duration timeout) const {
        return connections_.wait_for_connections(count, timeout);
    }

    /// Waits until at most so many connections are open; false on the timeout.
    bool wait_until_open(std::size_t most, duration timeout) const {
        return connections_.wait_until_open(most, timeout);
    }

    /// Waits until no connection is open; false on the timeout.
    bool wait_until_all_left(duration timeout) const { return wait_until_open(0, timeout); }

private:
    detail::playbook book_;
    detail::listener connections_{[this](detail::channel& peer, int number) {
        detail::conversation(peer, number, book_).run();
    }};  // last: it uses the rest
};

}  // namespace r2::inline v0_2::testing
