#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace r2::testkit {

using std::chrono::milliseconds;
using fields = std::vector<std::pair<std::string, std::string>>;

/// One request as the server read it.
struct seen {
    std::string method;
    std::string target;
    /// Request line and fields as received, without the blank line after them.
    std::string head;
    /// Decoded if it came chunked; empty with keep_bodies(false).
    std::string body;
    std::uint64_t body_size = 0;
    /// FNV-1a with 64 bits over the decoded body.
    std::uint64_t body_hash = 0;
    /// From 1, in the order of acceptance.
    int connection = 0;
    /// False if the body did not come, or was not read, to its announced end.
    bool complete = false;

    /// First field of that name in any case, "" if there is none.
    std::string header(std::string_view name) const;
    bool has(std::string_view name) const;
};

/// FNV-1a with 64 bits; pass an earlier result to go on.
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325U);

/// What is played on a connection once a request was read: bytes and silences, then an end. A plain value; every
/// modifier returns a changed copy.
class answer {
public:
    /// What happens to the connection after the last byte.
    enum class ending { keep, close, reset, hang };

    /// `length` bytes of the endlessly repeated pattern, after a silence, in pieces of `piece` bytes (0: at once).
    struct step {
        milliseconds silence{0};
        std::shared_ptr<const std::string> pattern;
        std::uint64_t length = 0;
        std::size_t piece = 0;
        milliseconds gap{0};
    };

    /// Silence before the bytes added next; `late` delays a whole answer.
    [[nodiscard]] answer after(milliseconds silence) const;
    [[nodiscard]] answer then(std::string_view bytes) const;
    /// Goes on with another answer and takes over its end.
    [[nodiscard]] answer then(const answer& next) const;
    /// Sends what was composed so far in pieces with a gap between two of them.
    [[nodiscard]] answer trickle(std::size_t bytes_per_piece, milliseconds gap) const;
    /// A huge count makes an endless answer; it stops when the peer leaves.
    [[nodiscard]] answer repeat(std::string_view bytes, std::uint64_t count) const;
    /// Replaces the body of a `reply` by a chunked one; throws std::logic_error on any other answer.
    [[nodiscard]] answer chunked(const std::vector<std::string>& chunks, milliseconds gap = milliseconds{0}) const;
    /// Only the first bytes of what was composed so far; ends with close() unless an end was or is given.
    [[nodiscard]] answer cut(std::uint64_t bytes) const;

    /// Orderly FIN; after a complete keep-alive reply that is an idle connection closed without notice.
    [[nodiscard]] answer close() const;
    /// RST instead of FIN.
    [[nodiscard]] answer reset() const;
    /// Says nothing more and holds the connection until the peer leaves or the server is destroyed.
    [[nodiscard]] answer hang() const;

    /// The next request on the same connection is read, logged and met by a FIN; it takes no answer from a script.
    [[nodiscard]] answer close_when_idle_request_comes() const;
    /// The same with a RST.
    [[nodiscard]] answer reset_when_idle_request_comes() const;
    /// The same once that many bytes of it were read.
    [[nodiscard]] answer reset_in_next_request(std::uint64_t bytes) const;

    const std::vector<step>& steps() const { return steps_; }
    ending end() const { return end_; }
    std::optional<ending> next_request() const { return next_request_; }
    std::optional<std::uint64_t> next_request_bytes() const { return next_request_bytes_; }
    /// Where the head of the reply ends, so that HEAD gets no body; nothing for raw bytes.
    std::optional<std::uint64_t> head_length() const { return head_length_; }

private:
    friend answer reply(int status, std::string_view body, const fields& more);

    void add(step next);
    std::uint64_t length() const;

    std::vector<step> steps_;
    ending end_ = ending::keep;
    std::optional<ending> next_request_;
    std::optional<std::uint64_t> next_request_bytes_;
    std::optional<std::uint64_t> head_length_;
    std::string head_;
};

/// A keep-alive HTTP/1.1 response. A Content-Length or Transfer-Encoding among the fields replaces the computed one.
answer reply(int status, std::string_view body = "", const fields& more = {});
/// Exactly these bytes.
answer raw(std::string_view bytes);
/// No byte at all; give it an end.
answer nothing();
answer late(milliseconds silence, const answer& what);
/// One chunk of the chunked coding, "" for the last one, to compose by hand.
std::string chunk(std::string_view data);

/// What befalls a connection before a whole request was read.
struct fault {
    enum class kind { none, reset, close, hang, reset_in_request, stop_after_head, answer_after_head };
    kind what = kind::none;
    std::uint64_t bytes = 0;
    answer said;
};

fault accept_and_reset();
/// FIN at once; what the peer sends is discarded, so that it sees an end and no reset.
fault accept_and_close();
/// Reads nothing, says nothing.
fault accept_and_hang();
/// RST once that many bytes of the connection's first request were read.
fault reset_in_request(std::uint64_t bytes);
/// Leaves the body in the socket. Buffers of both kernels still swallow some MiB of it.
fault read_head_then_stop_reading();
/// Answers the connection's first request without reading its body, then closes.
fault answer_after_head(answer what);
/// For a single connection spared from on_every_connection.
fault no_fault();

/// A scripted HTTP/1.1 server on a free port of 127.0.0.1. All members may be called while it runs.
class server {
public:
    server();
    /// Drops all connections, whatever they are doing.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::uint16_t port() const;
    std::string url(std::string_view target = "/") const;

    /// One answer per request in order over all connections, after those of earlier calls. A request looks for its
    /// answer in the script of its path, then here, then in the handler, then takes the default.
    void script(std::vector<answer> answers);
    /// The path is compared without the query.
    void on(std::string path, std::vector<answer> answers);
    /// Runs on connection threads, several at a time, and must return.
    void handle(std::function<answer(const seen&)> handler);
    /// Initially reply(200, "ok").
    void default_answer(answer what);
    /// Played between head and body of a request with "Expect: 100-continue"; initially such a request just waits.
    void on_expect(answer what);

    /// Counted from 1.
    void on_connection(int number, fault what);
    /// Applies where on_connection says nothing.
    void on_every_connection(fault what);

    /// New connections are refused from now on; those that are open stay.
    void refuse();

    /// False records size and hash of a body only.
    void keep_bodies(bool keep);
    /// False counts the requests without recording them.
    void keep_requests(bool keep);

    /// A request is in here before its answer goes out.
    std::vector<seen> requests() const;
    std::size_t count() const;
    /// Requests of which at least a byte came, whole or not.
    std::size_t begun() const;
    /// Accepted so far.
    std::size_t connections() const;
    std::size_t open_connections() const;

    bool wait_for_requests(std::size_t count, milliseconds timeout) const;
    bool wait_until_begun(std::size_t count, milliseconds timeout) const;
    bool wait_for_connections(std::size_t count, milliseconds timeout) const;
    /// True once no connection is open.
    bool wait_until_all_left(milliseconds timeout) const;

private:
    class state;
    std::unique_ptr<state> state_;
};

/// A port of 127.0.0.1 that refuses connections and that nobody else can take meanwhile.
class refusing_port {
public:
    refusing_port();
    ~refusing_port();
    refusing_port(const refusing_port&) = delete;
    refusing_port& operator=(const refusing_port&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url(std::string_view target = "/") const;

private:
    // Before the socket, whose binding sets it.
    std::uint16_t port_ = 0;
    int socket_ = -1;
};

/// A listening port whose queue is full: connecting to it neither succeeds nor fails.
class full_backlog {
public:
    full_backlog();
    ~full_backlog();
    full_backlog(const full_backlog&) = delete;
    full_backlog& operator=(const full_backlog&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url(std::string_view target = "/") const;

private:
    // Before the socket, whose binding sets it.
    std::uint16_t port_ = 0;
    int socket_ = -1;
    std::vector<int> queued_;
};

}  // namespace r2::testkit
