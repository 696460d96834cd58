#include "server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <exception>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>

#include "sockets.hpp"

namespace r2::testkit {
namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t buffer_size = 64 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<std::string_view> find_field(std::string_view head, std::string_view name) {
    auto line_end = head.find('\n');
    while (line_end != head.npos) {
        head.remove_prefix(line_end + 1);
        line_end = head.find('\n');
        const auto line = head.substr(0, line_end);
        const auto colon = line.find(':');
        if (colon != line.npos && same_name(line.substr(0, colon), name)) return trimmed(line.substr(colon + 1));
    }
    return std::nullopt;
}

std::optional<std::uint64_t> to_number(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end == text.data()) return std::nullopt;
    return value;
}

constexpr auto reasons = std::to_array<std::pair<int, std::string_view>>({
    {100, "Continue"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {417, "Expectation Failed"},
    {425, "Too Early"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
});

std::string_view reason(int status) {
    const auto* found = std::find_if(reasons.begin(), reasons.end(), [&](const auto& r) { return r.first == status; });
    return found == reasons.end() ? "Status" : found->second;
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

/// Takes requests off a channel.
class reader {
public:
    /// `on_begin` is called at the first byte of each request.
    reader(channel& from, std::function<void()> on_begin)
        : from_(from), on_begin_(std::move(on_begin)), buffer_(buffer_size) {}

    /// Takes no more than these from now on.
    void limit(std::uint64_t bytes) { budget_ = bytes; }

    bool read_head(seen& request) {
        auto& head = request.head;
        while (true) {
            if (begin_ == end_ && !fill()) return false;
            if (head.empty()) on_begin_();
            const auto searched = head.size() < 3 ? 0 : head.size() - 3;
            head.append(buffer_.data() + begin_, end_ - begin_);
            begin_ = end_;
            const auto blank = head.find("\r\n\r\n", searched);
            if (blank == head.npos) continue;
            begin_ -= head.size() - (blank + 4);
            head.resize(blank);
            break;
        }
        const std::string_view line = std::string_view(head).substr(0, head.find("\r\n"));
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        request.method = line.substr(0, first);
        if (first < last) request.target = line.substr(first + 1, last - first - 1);
        request.body_hash = fnv1a("");
        return true;
    }

    /// True if the body came to its announced end.
    bool read_body(seen& request, bool keep) {
        const auto coding = find_field(request.head, "transfer-encoding");
        if (coding && same_name(*coding, "chunked")) {
            return read_chunks(request, keep);
        }
        const auto announced = find_field(request.head, "content-length");
        if (!announced) return true;
        const auto size = to_number(*announced, 10);
        return size && take(*size, request, keep);
    }

    /// What came along with the head.
    void take_rest(seen& request, bool keep) { take(end_ - begin_, request, keep); }

    bool exhausted() const { return budget_ == 0; }

private:
    bool fill() {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), budget_));
        begin_ = 0;
        end_ = size == 0 ? 0 : from_.read(buffer_.data(), size);
        if (budget_ != unlimited) budget_ -= end_;
        return end_ > 0;
    }

    bool take(std::uint64_t size, seen& request, bool keep) {
        while (size > 0) {
            if (begin_ == end_ && !fill()) return false;
            const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - begin_));
            const std::string_view bytes(buffer_.data() + begin_, piece);
            request.body_hash = fnv1a(bytes, request.body_hash);
            request.body_size += piece;
            if (keep) request.body.append(bytes);
            begin_ += piece;
            size -= piece;
        }
        return true;
    }

    bool read_chunks(seen& request, bool keep) {
        std::string line;
        while (read_line(line)) {
            const auto size = to_number(line, 16);
            if (!size) return false;
            if (*size == 0) {
                while (read_line(line)) {
                    if (line.empty()) return true;
                }
                return false;
            }
            if (!take(*size, request, keep) || !read_line(line) || !line.empty()) return false;
        }
        return false;
    }

    bool read_line(std::string& line) {
        line.clear();
        while (true) {
            if (begin_ == end_ && !fill()) return false;
            const char c = buffer_[begin_++];
            if (c == '\n') return true;
            if (c != '\r') line += c;
        }
    }

    channel& from_;
    std::function<void()> on_begin_;
    std::uint64_t budget_ = unlimited;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

bool play_step(channel& to, const answer::step& what, std::uint64_t length) {
    if (what.silence.count() > 0 && !to.pause(what.silence)) return false;
    const auto& pattern = *what.pattern;
    const auto piece_limit = what.piece == 0 ? unlimited : what.piece;
    std::string block;
    std::string_view source = pattern;
    if (length > pattern.size()) {
        // Long enough that a piece can begin anywhere in the pattern.
        const auto wanted = std::min<std::uint64_t>(length, what.piece == 0 ? buffer_size : what.piece);
        while (block.size() < wanted + pattern.size()) block += pattern;
        source = block;
    }
    std::size_t phase = 0;
    while (length > 0) {
        const auto piece = std::min({length, piece_limit, std::uint64_t{source.size() - phase}});
        const auto size = static_cast<std::size_t>(piece);
        if (!to.write(source.data() + phase, size)) return false;
        length -= piece;
        phase += size;
        if (source.data() != pattern.data()) phase %= pattern.size();
        if (length == 0) break;
        // A peer that reads fast enough never makes a write wait, so an endless answer looks for the stop itself.
        if (to.stopped() || (what.gap.count() > 0 && !to.pause(what.gap))) return false;
    }
    return true;
}

bool play(channel& to, const answer& what, bool head_only) {
    auto left = head_only ? what.head_length().value_or(unlimited) : unlimited;
    for (const auto& step : what.steps()) {
        if (left == 0) break;
        const auto length = std::min(left, step.length);
        if (!play_step(to, step, length)) return false;
        if (left != unlimited) left -= length;
    }
    return true;
}

void finish(channel& with, answer::ending how, bool more_expected) {
    switch (how) {
        case answer::ending::reset:
            with.reset();
            break;
        case answer::ending::hang:
            with.wait_until_left();
            with.close();
            break;
        case answer::ending::keep:
        case answer::ending::close:
            with.close_orderly(more_expected);
            break;
    }
}

}  // namespace

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash) {
    for (const char c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3U;
    }
    return hash;
}

std::string seen::header(std::string_view name) const { return std::string(find_field(head, name).value_or("")); }

bool seen::has(std::string_view name) const { return find_field(head, name).has_value(); }

void answer::add(step next) {
    if (!next.pattern) next.pattern = std::make_shared<const std::string>();
    if (!steps_.empty() && next.silence.count() == 0 && next.length == next.pattern->size() && next.piece == 0) {
        auto& last = steps_.back();
        if (last.piece == 0 && last.length == last.pattern->size()) {
            // One step is one write.
            last.pattern = std::make_shared<const std::string>(*last.pattern + *next.pattern);
            last.length += next.length;
            return;
        }
    }
    steps_.push_back(std::move(next));
}

std::uint64_t answer::length() const {
    std::uint64_t sum = 0;
    for (const auto& step : steps_) sum = step.length > unlimited - sum ? unlimited : sum + step.length;
    return sum;
}

answer answer::after(milliseconds silence) const {
    auto changed = *this;
    changed.add({.silence = silence, .pattern = nullptr, .length = 0, .piece = 0, .gap = milliseconds{0}});
    return changed;
}

answer answer::then(std::string_view bytes) const { return repeat(bytes, 1); }

answer answer::then(const answer& next) const {
    auto changed = *this;
    if (next.head_length_) changed.head_length_ = length() + *next.head_length_;
    for (const auto& step : next.steps_) changed.add(step);
    changed.end_ = next.end_;
    changed.next_request_ = next.next_request_;
    return changed;
}

answer answer::trickle(std::size_t bytes_per_piece, milliseconds gap) const {
    auto changed = *this;
    for (auto& step : changed.steps_) {
        if (step.piece == 0) {
            step.piece = bytes_per_piece;
            step.gap = gap;
        }
    }
    return changed;
}

answer answer::repeat(std::string_view bytes, std::uint64_t count) const {
    auto changed = *this;
    if (bytes.empty() || count == 0) return changed;
    const auto length = count > unlimited / bytes.size() ? unlimited : bytes.size() * count;
    changed.add({.silence = milliseconds{0},
                 .pattern = std::make_shared<const std::string>(bytes),
                 .length = length,
                 .piece = 0,
                 .gap = milliseconds{0}});
    return changed;
}

answer answer::chunked(const std::vector<std::string>& chunks, milliseconds gap) const {
    if (head_.empty()) throw std::logic_error("only a reply can become chunked");
    auto changed = *this;
    changed.steps_.clear();
    changed = changed.then(head_ + "Transfer-Encoding: chunked\r\n\r\n");
    changed.head_length_ = changed.length();
    for (const auto& data : chunks) {
        if (gap.count() > 0) changed = changed.after(gap);
        changed = changed.then(chunk(data));
    }
    return changed.then(chunk(""));
}

answer answer::cut(std::uint64_t bytes) const {
    auto changed = *this;
    auto left = bytes;
    auto step = changed.steps_.begin();
    for (; step != changed.steps_.end() && (left > 0 || step->length == 0); ++step) {
        step->length = std::min(step->length, left);
        left -= step->length;
    }
    changed.steps_.erase(step, changed.steps_.end());
    if (changed.end_ == ending::keep) changed.end_ = ending::close;
    return changed;
}

answer answer::close() const {
    auto changed = *this;
    changed.end_ = ending::close;
    return changed;
}

answer answer::reset() const {
    auto changed = *this;
    changed.end_ = ending::reset;
    return changed;
}

answer answer::hang() const {
    auto changed = *this;
    changed.end_ = ending::hang;
    return changed;
}

answer answer::close_when_idle_request_comes() const {
    auto changed = *this;
    changed.next_request_ = ending::close;
    return changed;
}

answer answer::reset_when_idle_request_comes() const {
    auto changed = *this;
    changed.next_request_ = ending::reset;
    return changed;
}

answer answer::reset_in_next_request(std::uint64_t bytes) const {
    auto changed = *this;
    changed.next_request_bytes_ = bytes;
    return changed;
}

answer reply(int status, std::string_view body, const fields& more) {
    answer made;
    made.head_ = "HTTP/1.1 " + std::to_string(status) + ' ' + std::string(reason(status)) + "\r\n";
    bool framed = has_no_body(status);
    for (const auto& [name, value] : more) {
        made.head_ += name + ": " + value + "\r\n";
        framed = framed || same_name(name, "content-length") || same_name(name, "transfer-encoding");
    }
    auto head = made.head_;
    if (!framed) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    head += "\r\n";
    const auto head_length = head.size();
    if (!has_no_body(status)) head += body;
    made = made.then(head);
    made.head_length_ = head_length;
    return made;
}

answer raw(std::string_view bytes) { return answer{}.then(bytes); }

answer nothing() { return {}; }

answer late(milliseconds silence, const answer& what) { return answer{}.after(silence).then(what); }

std::string chunk(std::string_view data) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
    return std::string(digits.data(), end) + "\r\n" + std::string(data) + "\r\n";
}

fault accept_and_reset() { return {.what = fault::kind::reset, .bytes = 0, .said = {}}; }

fault accept_and_close() { return {.what = fault::kind::close, .bytes = 0, .said = {}}; }

fault accept_and_hang() { return {.what = fault::kind::hang, .bytes = 0, .said = {}}; }

fault reset_in_request(std::uint64_t bytes) {
    return {.what = fault::kind::reset_in_request, .bytes = bytes, .said = {}};
}

fault read_head_then_stop_reading() { return {.what = fault::kind::stop_after_head, .bytes = 0, .said = {}}; }

fault answer_after_head(answer what) {
    return {.what = fault::kind::answer_after_head, .bytes = 0, .said = std::move(what)};
}

fault no_fault() { return {}; }

class server::state {
public:
    template <class change> void configure(const change& apply) {
        const std::lock_guard lock(mutex_);
        apply(*this);
    }

    template <class condition> bool wait(milliseconds timeout, const condition& met) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, timeout, met);
    }

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::deque<answer> script_;
    std::map<std::string, std::deque<answer>, std::less<>> paths_;
    std::shared_ptr<const std::function<answer(const seen&)>> handler_;
    std::shared_ptr<const answer> default_ = std::make_shared<const answer>(reply(200, "ok"));
    std::shared_ptr<const answer> on_expect_;
    std::map<int, fault> faults_;
    fault every_;
    bool keep_bodies_ = true;
    bool keep_requests_ = true;
    std::vector<std::shared_ptr<const seen>> log_;
    std::size_t count_ = 0;
    std::size_t begun_ = 0;

private:
    void serve(channel& with, int number) {
        const fault befalls = fault_of(number);
        using kind = fault::kind;
        if (befalls.what == kind::reset) return with.reset();
        if (befalls.what == kind::hang) return with.wait_until_left();
        if (befalls.what == kind::stop_after_head) {
            const int small = 4096;
            ::setsockopt(with.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        }
        reader input(with, [this] { begin(); });
        if (befalls.what == kind::close) {
            with.end_writing();
            seen discarded;
            input.read_head(discarded);
            return with.close_orderly(true);
        }
        if (befalls.what == kind::reset_in_request) input.limit(befalls.bytes);
        std::optional<answer::ending> next_request;
        while (true) {
            auto request = std::make_shared<seen>();
            request->connection = number;
            if (!input.read_head(*request)) return input.exhausted() ? with.reset() : with.close();
            const auto [keep_body, on_expect] = body_settings();
            if (befalls.what == kind::stop_after_head) {
                input.take_rest(*request, keep_body);
                record(std::move(request));
                return with.wait_until_left();
            }
            if (befalls.what == kind::answer_after_head) {
                const bool head_only = request->method == "HEAD";
                record(std::move(request));
                if (play(with, befalls.said, head_only)) finish(with, befalls.said.end(), true);
                return;
            }
            if (on_expect && same_name(request->header("expect"), "100-continue")) {
                const bool going_on = play(with, *on_expect, false) && on_expect->end() == answer::ending::keep;
                if (!going_on) {
                    record(std::move(request));
                    return finish(with, on_expect->end(), true);
                }
            }
            request->complete = input.read_body(*request, keep_body);
            const bool complete = request->complete;
            const std::shared_ptr<const seen> logged = std::move(request);
            const bool answered = complete && !next_request;
            auto chosen = record(logged, answered);
            if (!complete) return input.exhausted() ? with.reset() : with.close();
            if (next_request) return finish(with, *next_request, false);
            if (!chosen) chosen = ask_handler(*logged);
            if (!play(with, *chosen, logged->method == "HEAD")) return with.close();
            if (chosen->end() != answer::ending::keep) return finish(with, chosen->end(), false);
            next_request = chosen->next_request();
            if (const auto bytes = chosen->next_request_bytes()) input.limit(*bytes);
        }
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
    std::shared_ptr<const answer> record(std::shared_ptr<const seen> request, bool answered = false) {
        const std::lock_guard lock(mutex_);
        auto chosen = answered ? choose(*request) : nullptr;
        ++count_;
        if (keep_requests_) log_.push_back(std::move(request));
        changed_.notify_all();
        return chosen;
    }

    static std::shared_ptr<const answer> pop(std::deque<answer>& from) {
        auto first = std::make_shared<const answer>(std::move(from.front()));
        from.pop_front();
        return first;
    }

    /// With mutex_ held.
    std::shared_ptr<const answer> choose(const seen& request) {
        const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
        if (const auto found = paths_.find(path); found != paths_.end() && !found->second.empty())
            return pop(found->second);
        if (!script_.empty()) return pop(script_);
        return handler_ ? nullptr : default_;
    }

    std::shared_ptr<const answer> ask_handler(const seen& request) const {
        std::shared_ptr<const std::function<answer(const seen&)>> handler;
        {
            const std::lock_guard lock(mutex_);
            handler = handler_;
        }
        try {
            return std::make_shared<const answer>((*handler)(request));
        } catch (const std::exception& error) {
            return std::make_shared<const answer>(reply(500, error.what()));
        }
    }

public:
    listener connections_{[this](channel& with, int number) { serve(with, number); }};  // last: it uses the rest
};

server::server() : state_(std::make_unique<state>()) {}
server::~server() = default;

std::uint16_t server::port() const { return state_->connections_.port(); }

std::string server::url(std::string_view target) const { return url_of(port(), target); }

void server::script(std::vector<answer> answers) {
    state_->configure([&](state& s) { std::move(answers.begin(), answers.end(), std::back_inserter(s.script_)); });
}

void server::on(std::string path, std::vector<answer> answers) {
    state_->configure(
        [&](state& s) { std::move(answers.begin(), answers.end(), std::back_inserter(s.paths_[std::move(path)])); });
}

void server::handle(std::function<answer(const seen&)> handler) {
    auto shared = std::make_shared<const std::function<answer(const seen&)>>(std::move(handler));
    state_->configure([&](state& s) { s.handler_ = std::move(shared); });
}

void server::default_answer(answer what) {
    state_->configure([&](state& s) { s.default_ = std::make_shared<const answer>(std::move(what)); });
}

void server::on_expect(answer what) {
    state_->configure([&](state& s) { s.on_expect_ = std::make_shared<const answer>(std::move(what)); });
}

void server::on_connection(int number, fault what) {
    state_->configure([&](state& s) { s.faults_[number] = std::move(what); });
}

void server::on_every_connection(fault what) {
    state_->configure([&](state& s) { s.every_ = std::move(what); });
}

void server::keep_bodies(bool keep) {
    state_->configure([&](state& s) { s.keep_bodies_ = keep; });
}

void server::keep_requests(bool keep) {
    state_->configure([&](state& s) { s.keep_requests_ = keep; });
}

std::vector<seen> server::requests() const {
    const std::lock_guard lock(state_->mutex_);
    std::vector<seen> copy;
    copy.reserve(state_->log_.size());
    for (const auto& request : state_->log_) copy.push_back(*request);
    return copy;
}

std::size_t server::count() const {
    const std::lock_guard lock(state_->mutex_);
    return state_->count_;
}

std::size_t server::begun() const {
    const std::lock_guard lock(state_->mutex_);
    return state_->begun_;
}

void server::refuse() { state_->connections_.refuse(); }

std::size_t server::connections() const { return state_->connections_.accepted(); }

std::size_t server::open_connections() const { return state_->connections_.open(); }

bool server::wait_for_requests(std::size_t count, milliseconds timeout) const {
    return state_->wait(timeout, [&] { return state_->count_ >= count; });
}

bool server::wait_until_begun(std::size_t count, milliseconds timeout) const {
    return state_->wait(timeout, [&] { return state_->begun_ >= count; });
}

bool server::wait_for_connections(std::size_t count, milliseconds timeout) const {
    return state_->connections_.wait_for_connections(count, timeout);
}

bool server::wait_until_all_left(milliseconds timeout) const {
    return state_->connections_.wait_until_all_left(timeout);
}

refusing_port::refusing_port() : socket_(bound_socket(port_)) {}

refusing_port::~refusing_port() { ::close(socket_); }

std::string refusing_port::url(std::string_view target) const { return url_of(port_, target); }

full_backlog::full_backlog() : socket_(bound_socket(port_)) {
    const auto address = loopback(port_);
    if (::listen(socket_, 0) != 0) throw_errno("listen");
    // Connections enter the queue until one is left without an answer to its SYN; that one is given up again.
    for (int attempt = 0; attempt < 16; ++attempt) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) throw_errno("socket");
        queued_.push_back(fd);
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        pollfd polled{fd, POLLOUT, 0};
        if (::poll(&polled, 1, 100) == 0) {
            ::close(fd);
            queued_.pop_back();
            return;
        }
    }
    throw std::runtime_error("the backlog does not fill up");
}

full_backlog::~full_backlog() {
    for (const int fd : queued_) ::close(fd);
    ::close(socket_);
}

std::string full_backlog::url(std::string_view target) const { return url_of(port_, target); }

}  // namespace r2::testkit
