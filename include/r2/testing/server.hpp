#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "r2/config.hpp"
#include "r2/testing/answer.hpp"
#include "r2/testing/fault.hpp"
#include "r2/testing/recorded_request.hpp"
#include "r2/words/time.hpp"

namespace r2::inline v0_2::testing {

/// Serves HTTP/1.1 by a script, on a free port of 127.0.0.1, from its construction to its destruction. Thread-safe.
///
///     using namespace r2::testing;
///     server s;
///     s.on("/job", {reply(503), reply(200, "half").cut_body(2), nothing().reset(), reply(200, "done")});
class server {
public:
    /// Throws std::system_error if there is no descriptor, port or thread left.
    server();
    /// Drops all connections, whatever they are doing, and waits for handlers to return.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Returns the port. It never changes.
    std::uint16_t port() const;

    /// Makes a URL of this server. `target` is a path, with or without a query.
    std::string url(std::string_view target = "/") const;

    /// Adds answers, one for each request in order over all connections. A request takes the next answer of the script
    /// of its path, else of this one, else of the handler, else the default answer.
    void script(std::vector<answer> answers);

    /// Adds answers to the script of a path. The path of a request is compared without its query.
    void on(std::string path, std::vector<answer> answers);

    /// Sets the handler of the requests for which no script has an answer. It runs on connection threads, several at a
    /// time. It must return: the destructor waits for it. An exception becomes a 500.
    void handle(std::function<answer(const recorded_request&)> handler);

    /// Sets the answer to all other requests. Unless set: `reply(200, "ok")`.
    void default_answer(answer what);

    /// Sets the answer between head and body of a request with "Expect: 100-continue". Unless set: none. An answer that
    /// ends the connection replaces the one to the request.
    void on_expect(answer what);

    /// Sets the fault of one connection. The number counts from 1, in the order of acceptance.
    void on_connection(int number, fault what);

    /// Sets the fault of all connections that have none by `on_connection`.
    void on_every_connection(fault what);

    /// Refuses new connections from now on. Open connections stay.
    void refuse();

    /// Turns the recording of bodies off, but for their sizes and hashes, or on again.
    void keep_bodies(bool keep);

    /// Turns the recording of requests off, but for their count, or on again.
    void keep_requests(bool keep);

    /// Copies the requests so far, in order. A request is recorded before its answer is sent.
    std::vector<recorded_request> requests() const;

    /// Counts the requests so far, recorded or not.
    std::size_t request_count() const;

    /// Counts the requests of which at least a byte came, complete or not.
    std::size_t begun() const;

    /// Counts the connections so far.
    std::size_t connections() const;

    /// Counts the open connections.
    std::size_t open_connections() const;

    /// Waits until `request_count()` is at least `count`. Returns false on the timeout, as do all of these.
    bool wait_for_requests(std::size_t count, duration timeout) const;

    /// Waits until `begun()` is at least `count`.
    bool wait_until_begun(std::size_t count, duration timeout) const;

    /// Waits until `connections()` is at least `count`.
    bool wait_for_connections(std::size_t count, duration timeout) const;

    /// Waits until `open_connections()` is at most `most`.
    bool wait_until_open(std::size_t most, duration timeout) const;

    /// Waits until no connection is open.
    bool wait_until_all_left(duration timeout) const { return wait_until_open(0, timeout); }

private:
    struct state;

    std::unique_ptr<state> state_;  // needs the headers of sockets and threads
};

}  // namespace r2::inline v0_2::testing

#ifndef R2_COMPILED
#include "r2/testing/server.ipp"
#endif
