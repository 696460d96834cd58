#include "http2.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>

namespace r2::testkit {

/// A channel under TLS.
class http2_server::secured {
public:
    secured(SSL_CTX* context, testing::detail::channel& peer) : peer_(peer), ssl_(SSL_new(context)) {
        SSL_set_fd(ssl_, peer.descriptor());
    }
    ~secured() { SSL_free(ssl_); }
    secured(const secured&) = delete;

    bool accept() {
        return carry_out([this] { return SSL_accept(ssl_); }) > 0;
    }

    /// Returns `size` bytes, or nothing at the end and on an error.
    std::optional<std::string> read(std::size_t size) {
        std::string bytes(size, '\0');
        for (std::size_t have = 0; have < size;) {
            const int got =
                carry_out([&] { return SSL_read(ssl_, bytes.data() + have, static_cast<int>(size - have)); });
            if (got <= 0) return std::nullopt;
            have += static_cast<std::size_t>(got);
        }
        return bytes;
    }

    void write(const std::string& bytes) {
        carry_out([&] { return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); });
    }

    /// Ends TLS, then the connection.
    void close() {
        SSL_shutdown(ssl_);
        peer_.close_orderly(true);
    }

private:
    template <class F> int carry_out(F f) {
        for (;;) {
            const int done = f();
            if (done > 0) return done;
            const int why = SSL_get_error(ssl_, done);
            if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return done;
            if (!peer_.wait(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return 0;
        }
    }

    testing::detail::channel& peer_;
    SSL* ssl_;
};

namespace {

// RFC 9113, 6 and 7.
enum type : unsigned char { data = 0, headers = 1, rst_stream = 3, settings = 4, goaway_frame = 7, window_update = 8 };
enum flag : unsigned char { ack = 1, end_stream = 1, end_headers = 4 };
enum code : std::uint32_t { no_error = 0, internal = 2, refused = 7 };

constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::uint32_t window = 0x7fff0000U;

std::string number(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xffU);
    return bytes;
}

std::string frame(type what, unsigned char flags, std::uint32_t stream, std::string_view payload) {
    std::string bytes = number(static_cast<std::uint32_t>(payload.size())).substr(1);
    bytes += static_cast<char>(what);
    bytes += static_cast<char>(flags);
    return bytes + number(stream) + std::string(payload);
}

struct frame_head {
    std::size_t size = 0;
    unsigned char what = 0, flags = 0;
    std::uint32_t stream = 0;
};

frame_head to_head(const std::string& bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    return {.size = std::size_t{at(0)} << 16U | std::size_t{at(1)} << 8U | at(2),
            .what = at(3),
            .flags = at(4),
            .stream = std::uint32_t{at(5)} << 24U | std::uint32_t{at(6)} << 16U | std::uint32_t{at(7)} << 8U | at(8)};
}

}  // namespace

http2_server::http2_server(const std::string& certificate, const std::string& key, answer to_all)
    : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free),
      to_all_(to_all),
      connections_([this](testing::detail::channel& peer, int) {
          // OpenSSL may write to a socket that the peer has closed.
          sigset_t broken_pipe;
          sigemptyset(&broken_pipe);
          sigaddset(&broken_pipe, SIGPIPE);
          pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
          secured s(context_.get(), peer);
          if (s.accept()) serve(s);
      }) {
    if (SSL_CTX_use_certificate_file(context_.get(), certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("no certificate in " + certificate + ", or no key in " + key);
    SSL_CTX_set_alpn_select_cb(
        context_.get(),
        [](SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned int length,
           void*) {
            constexpr std::string_view h2("\x02h2", 3);
            const std::string_view all(reinterpret_cast<const char*>(offered), length);
            const std::size_t place = all.find(h2);
            if (place == all.npos) return SSL_TLSEXT_ERR_ALERT_FATAL;
            *chosen = offered + place + 1;
            *size = 2;
            return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
}

http2_server::~http2_server() = default;

void http2_server::serve(secured& with) {
    if (!with.read(preface.size())) return;
    // SETTINGS_INITIAL_WINDOW_SIZE is so large that no body needs a WINDOW_UPDATE.
    with.write(frame(settings, 0, 0, std::string("\0\x04", 2) + number(window)) +
               frame(window_update, 0, 0, number(window)));

    std::uint32_t processed = 0;
    std::set<std::uint32_t> pending;  // streams whose body is not complete
    while (const auto bytes = with.read(9)) {
        const frame_head head = to_head(*bytes);
        if (!with.read(head.size)) return;
        if (head.what == settings && !(head.flags & ack)) with.write(frame(settings, ack, 0, ""));
        if (head.what == headers) {
            const std::size_t number_of_request = ++begun_;
            const auto found = answers_.find(number_of_request);
            const answer what = found == answers_.end() ? to_all_ : found->second;
            if (what == answer::goaway) {
                with.write(frame(goaway_frame, 0, 0, number(processed) + number(no_error)));
                return with.close();
            }
            if (what != answer::ok) {
                with.write(
                    frame(rst_stream, 0, head.stream, number(what == answer::refused_stream ? refused : internal)));
                continue;
            }
            pending.insert(head.stream);
        }
        if ((head.what == headers || head.what == data) && (head.flags & end_stream) && pending.erase(head.stream)) {
            processed = head.stream;
            with.write(frame(headers, end_headers | end_stream, head.stream, "\x88"));  // ":status: 200", RFC 7541, A
        }
    }
}

}  // namespace r2::testkit
