#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "r2/testing/channel.hpp"
#include "r2/testing/composition.hpp"
#include "r2/testing/recorded_request.hpp"
#include "r2/words/headers.hpp"

namespace r2::inline v0_2::testing::detail {

/// Reads requests from a channel.
class request_reader {
public:
    /// Calls `on_begin` at the first byte of each request.
    request_reader(channel& peer, std::function<void()> on_begin) : peer_(peer), on_begin_(std::move(on_begin)) {}

    void keep_bodies(bool keep) { keep_bodies_ = keep; }

    /// Reads at most so many bytes from now on.
    void limit(std::uint64_t bytes) { budget_ = bytes; }

    bool exhausted() const { return budget_ == 0; }

    bool read_head(recorded_request& request) {
        std::string& head = request.head;
        auto blank = head.npos;
        while (blank == head.npos) {
            if (begin_ == end_ && !fill()) return false;
            if (head.empty()) on_begin_();
            const auto searched = head.size() < 3 ? 0 : head.size() - 3;
            head.append(buffer_.data() + begin_, end_ - begin_);
            begin_ = end_;
            blank = head.find("\r\n\r\n", searched);
        }
        begin_ -= head.size() - (blank + 4);  // puts back the bytes after the head
        head.resize(blank);

        std::string_view rest = head;
        const std::string_view line = next_line(rest);
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        request.method = line.substr(0, first);
        if (first < last) request.target = line.substr(first + 1, last - first - 1);
        while (!rest.empty()) {
            const std::string_view field = next_line(rest);
            const auto colon = field.find(':');
            if (colon != field.npos) request.headers.add(field.substr(0, colon), trimmed(field.substr(colon + 1)));
        }
        return true;
    }

    /// Returns true if the body came to its announced end.
    bool read_body(recorded_request& request) {
        const auto coding = request.headers.get("Transfer-Encoding");
        if (coding && r2::detail::same_name(*coding, "chunked")) return read_chunks(request);
        const auto announced = request.headers.get("Content-Length");
        if (!announced) return true;
        const auto size = to_number(*announced, 10);
        return size && take(*size, request);
    }

    /// Takes the bytes of the body that came with the head.
    void take_rest(recorded_request& request) { take(end_ - begin_, request); }

private:
    /// Removes a line from the text, and returns it without its end.
    static std::string_view next_line(std::string_view& text) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        return line.substr(0, line.size() - (line.ends_with('\r') ? 1 : 0));
    }

    static std::string_view trimmed(std::string_view text) {
        const auto first = text.find_first_not_of(" \t");
        if (first == text.npos) return {};
        return text.substr(first, text.find_last_not_of(" \t") - first + 1);
    }

    static std::optional<std::uint64_t> to_number(std::string_view text, int base) {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (error != std::errc() || end == text.data()) return std::nullopt;
        return value;
    }

    bool fill() {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), budget_));
        begin_ = 0;
        end_ = size == 0 ? 0 : peer_.read(buffer_.data(), size);
        if (budget_ != unlimited) budget_ -= end_;
        return end_ > 0;
    }

    bool take(std::uint64_t size, recorded_request& request) {
        while (size > 0) {
            if (begin_ == end_ && !fill()) return false;
            const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - begin_));
            const std::string_view bytes(buffer_.data() + begin_, piece);
            request.body_hash = fnv1a(bytes, request.body_hash);
            request.body_size += piece;
            if (keep_bodies_) request.body.append(bytes);
            begin_ += piece;
            size -= piece;
        }
        return true;
    }

    bool read_chunks(recorded_request& request) {
        std::string line;
        while (read_line(line)) {
            const auto size = to_number(line, 16);
            if (!size) return false;
            if (*size == 0) return skip_trailers();
            if (!take(*size, request) || !read_line(line) || !line.empty()) return false;
        }
        return false;
    }

    bool skip_trailers() {
        std::string line;
        while (read_line(line))
            if (line.empty()) return true;
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

    channel& peer_;
    std::function<void()> on_begin_;
    bool keep_bodies_ = true;
    std::uint64_t budget_ = unlimited;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace r2::inline v0_2::testing::detail
