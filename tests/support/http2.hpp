#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "r2/testing/listener.hpp"

struct ssl_ctx_st;  // OpenSSL's

namespace r2::testkit {

/// As much of HTTP/2 over TLS as its ways to fail take: of a request nothing is understood but where it begins and
/// ends.
class http2_server {
public:
    enum class answer {
        ok,              ///< 200, without a body.
        goaway,          ///< GOAWAY for all from this stream on, then the end of the connection.
        refused_stream,  ///< RST_STREAM(REFUSED_STREAM): not processed.
        internal_error,  ///< RST_STREAM(INTERNAL_ERROR).
    };

    /// With PEM files of a certificate for 127.0.0.1 and its key.
    http2_server(const std::string& certificate, const std::string& key, answer to_all);
    ~http2_server();

    std::string url() const { return "https" + connections_.url().substr(4); }
    /// Of all the requests that this counts from 1.
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
