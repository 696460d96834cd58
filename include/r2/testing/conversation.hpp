#pragma once

#include <sys/socket.h>

#include <memory>
#include <optional>

#include "r2/testing/answer.hpp"
#include "r2/testing/channel.hpp"
#include "r2/testing/composition.hpp"
#include "r2/testing/fault.hpp"
#include "r2/testing/playbook.hpp"
#include "r2/testing/player.hpp"
#include "r2/testing/recorded_request.hpp"
#include "r2/testing/request_reader.hpp"
#include "r2/words/headers.hpp"

namespace r2::inline v0_2::testing::detail {

/// The exchanges on one connection of a server.
class conversation {
public:
    conversation(channel& peer, int number, playbook& book)
        : peer_(peer), number_(number), book_(book), fault_(book.fault_of(number)), input_(peer, [&book] {
              book.begin();
          }) {}

    /// Serves requests until the connection ends.
    void run() {
        if (is(kind::reset)) return peer_.reset();
        if (is(kind::hang)) return peer_.wait_until_left();
        if (is(kind::close)) {
            peer_.end_writing();
            recorded_request discarded;
            input_.read_head(discarded);
            return peer_.close_orderly(true);
        }
        if (is(kind::stop_reading_after_head)) {
            const int small = 4096;
            ::setsockopt(peer_.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        }
        if (is(kind::reset_in_request)) input_.limit(fault_.bytes_);
        while (exchange()) {
        }
    }

private:
    using kind = fault::kind;

    bool is(kind what) const { return fault_.what_ == what; }

    /// Reads one request and plays its answer. Returns false if the connection ended.
    bool exchange() {
        const auto request = std::make_shared<recorded_request>();
        request->connection = number_;
        if (!input_.read_head(*request)) return break_off();
        const bool head_only = request->method == "HEAD";
        const auto [keep_bodies, on_expect] = book_.body_settings();
        input_.keep_bodies(keep_bodies);

        if (is(kind::stop_reading_after_head)) {
            input_.take_rest(*request);
            book_.record(request);
            return end(ending::hang);
        }
        if (is(kind::answer_after_head)) {
            book_.record(request);
            const composition& said = fault_.said_.all_;
            return play(peer_, said, head_only) && end(said.end, true);
        }
        if (on_expect && r2::detail::same_name(request->headers.get("Expect").value_or(""), "100-continue")) {
            const composition& said = on_expect->all_;
            if (!play(peer_, said, false) || said.end != ending::keep) {
                book_.record(request);
                return end(said.end, true);
            }
        }

        request->complete = input_.read_body(*request);
        if (!request->complete || at_this_request_) {
            book_.record(request);
            return request->complete ? end(*at_this_request_) : break_off();
        }
        const auto chosen = book_.answer_to(request);
        const composition& said = chosen->all_;
        if (!play(peer_, said, head_only)) return false;
        if (said.end != ending::keep) return end(said.end);
        at_this_request_ = said.next_request;
        if (said.next_request_bytes) input_.limit(*said.next_request_bytes);
        return true;
    }

    /// Ends a request that is incomplete: the peer left, or a fault allows no more bytes.
    bool break_off() {
        if (input_.exhausted()) peer_.reset();
        return false;
    }

    /// Ends the connection, with FIN unless `how` is another end. Returns false.
    bool end(ending how, bool more_expected = false) {
        if (how == ending::reset)
            peer_.reset();
        else if (how == ending::hang)
            peer_.wait_until_left();
        else
            peer_.close_orderly(more_expected);
        return false;
    }

    channel& peer_;
    int number_;
    playbook& book_;
    const fault fault_;
    request_reader input_;
    std::optional<ending> at_this_request_;  // set by the answer before
};

}  // namespace r2::inline v0_2::testing::detail
