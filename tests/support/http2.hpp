#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "r2/testing/listener.hpp"

struct ssl_ctx_st;  // of OpenSSL

namespace r2::testkit {

/// A server of HTTP/2 over TLS that can fail in several ways. It understands only where a request begins and ends.
class http2_server {
public:
    enum class answer {
        ok,              ///< 200, without a body.
        goaway,          ///< GOAWAY for all from this stream on, then the end of the connection.
        refused_stream,  ///< RST_STREAM(REFUSED_STREAM): not processed.
        internal_error,  ///< RST_STREAM(INTERNAL_ERROR).
    };

    /// Takes PEM files of a certificate for 127.0.0.1 and of its key.
    http2_server(const std::string& certificate, const std::string& key, answer to_all);
    ~http2_server();

    std::string url() const { return "https" + connections_.url().substr(4); }
    /// Sets the answer to one request. Requests count from 1.
    void on_request(std::size_t number, answer what) { answers_[number] = what; }
    std::size_t begun() const { return begun_; }

private:
    class secured;

    void serve(secured& with);

    const std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
    const answer to_all_;
    std::map<std::size_t, answer> answers_;  // changed only before the first connection
    std::atomic<std::size_t> begun_ = 0;
    testing::detail::listener connections_;  // last: it uses the rest
};

}  // namespace r2::testkit
