#pragma once

#include <algorithm>
#include <iterator>
#include <utility>

#include "r2/testing/channel.hpp"
#include "r2/testing/conversation.hpp"
#include "r2/testing/listener.hpp"
#include "r2/testing/playbook.hpp"
#include "r2/testing/server.hpp"

namespace r2::inline v0_2::testing {

struct server::state {
    detail::playbook book;
    detail::listener listener{[this](detail::channel& peer, int number) {
        detail::conversation(peer, number, book).run();
    }};  // last: its threads use the book
};

R2_INLINE server::server() : state_(std::make_unique<state>()) {}
R2_INLINE server::~server() = default;

R2_INLINE std::uint16_t server::port() const { return state_->listener.port(); }

R2_INLINE std::string server::url(std::string_view target) const { return state_->listener.url(target); }

R2_INLINE void server::script(std::vector<answer> answers) {
    const auto lock = state_->book.guard.lock();
    std::move(answers.begin(), answers.end(), std::back_inserter(state_->book.script));
}

R2_INLINE void server::on(std::string path, std::vector<answer> answers) {
    const auto lock = state_->book.guard.lock();
    std::move(answers.begin(), answers.end(), std::back_inserter(state_->book.paths[std::move(path)]));
}

R2_INLINE void server::handle(std::function<answer(const recorded_request&)> handler) {
    const auto lock = state_->book.guard.lock();
    state_->book.handled_by = std::make_shared<const detail::playbook::handler>(std::move(handler));
}

R2_INLINE void server::default_answer(answer what) {
    const auto lock = state_->book.guard.lock();
    state_->book.default_answer = std::make_shared<const answer>(std::move(what));
}

R2_INLINE void server::on_expect(answer what) {
    const auto lock = state_->book.guard.lock();
    state_->book.on_expect = std::make_shared<const answer>(std::move(what));
}

R2_INLINE void server::on_connection(int number, fault what) {
    const auto lock = state_->book.guard.lock();
    state_->book.faults.insert_or_assign(number, std::move(what));
}

R2_INLINE void server::on_every_connection(fault what) {
    const auto lock = state_->book.guard.lock();
    state_->book.every_fault = std::move(what);
}

R2_INLINE void server::refuse() { state_->listener.refuse(); }

R2_INLINE void server::keep_bodies(bool keep) {
    const auto lock = state_->book.guard.lock();
    state_->book.keep_bodies = keep;
}

R2_INLINE void server::keep_requests(bool keep) {
    const auto lock = state_->book.guard.lock();
    state_->book.keep_requests = keep;
}

R2_INLINE std::vector<recorded_request> server::requests() const {
    const auto lock = state_->book.guard.lock();
    std::vector<recorded_request> copy;
    copy.reserve(state_->book.log.size());
    for (const auto& request : state_->book.log) copy.push_back(*request);
    return copy;
}

R2_INLINE std::size_t server::request_count() const {
    const auto lock = state_->book.guard.lock();
    return state_->book.count;
}

R2_INLINE std::size_t server::begun() const {
    const auto lock = state_->book.guard.lock();
    return state_->book.begun;
}

R2_INLINE std::size_t server::connections() const { return state_->listener.accepted(); }

R2_INLINE std::size_t server::open_connections() const { return state_->listener.open(); }

R2_INLINE bool server::wait_for_requests(std::size_t count, duration timeout) const {
    return state_->book.guard.wait(timeout, [&] { return state_->book.count >= count; });
}

R2_INLINE bool server::wait_until_begun(std::size_t count, duration timeout) const {
    return state_->book.guard.wait(timeout, [&] { return state_->book.begun >= count; });
}

R2_INLINE bool server::wait_for_connections(std::size_t count, duration timeout) const {
    return state_->listener.wait_for_connections(count, timeout);
}

R2_INLINE bool server::wait_until_open(std::size_t most, duration timeout) const {
    return state_->listener.wait_until_open(most, timeout);
}

}  // namespace r2::inline v0_2::testing
