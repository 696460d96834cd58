#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "r2/config.hpp"
#include "r2/drivers/queued_request.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/policy/concurrency.hpp"
#include "r2/policy/options.hpp"
#include "r2/ranges/all.hpp"
#include "r2/ranges/attempts.hpp"
#include "r2/ranges/retry.hpp"
#include "r2/transport/transport_pool.hpp"

namespace r2::inline v0_2 {

/// Shares connections and settings between ranges. Thread-safe. A range may outlive its client. Not usable across
/// fork().
class client {
public:
    client(client_options settings = {});

    // The verbs. Each returns at once; its range sends when it is pulled.

    attempts get(std::string url, options o = {}) const;
    attempts head(std::string url, options o = {}) const;
    attempts post(std::string url, body b, options o = {}) const;
    attempts put(std::string url, body b, options o = {}) const;
    attempts patch(std::string url, body b, options o = {}) const;
    attempts del(std::string url, options o = {}) const;

    /// Sends a body. In `del(url, {})` the braces are options.
    template <std::convertible_to<body> B> attempts del(std::string url, B&& b, options o = {}) const {
        return send({"DELETE", std::move(url), {}, std::forward<B>(b)}, std::move(o));
    }

    /// Sends the fields as application/x-www-form-urlencoded, whatever `content_type` says.
    attempts post_form(std::string url, const form& fields, options o = {}) const;

    /// Sends a request of any method. `options::headers`, `idempotency_key` and `content_type` replace its fields of
    /// the same names.
    attempts send(request q, options o = {}) const;

    /// See the free `retry`. Waits on a transport of this client.
    template <std::invocable F> retries<F> retry(F f, options o = {}) const {
        auto calls = std::unique_ptr<detail::calls<F>>(new detail::calls<F>{std::move(f)});
        auto source = start(std::ref(*calls), detail::for_calls(std::move(o), *calls));
        return retries<F>(std::make_unique<detail::trial_source<F>>(std::move(calls), std::move(source)));
    }

    /// See the free `all`.
    template <detail::requests R> all_attempts all(R&& requests, options o = {}, concurrency c = {}) const {
        auto reader = std::make_shared<detail::range_reader<R>>(std::forward<R>(requests));
        return start([reader = std::move(reader)] { return (*reader)(); }, std::move(o), c);
    }

protected:
    /// A client on other transports than libcurl's.
    struct on_transports {};
    client(on_transports, std::shared_ptr<detail::transport_pool> pool) : pool_(std::move(pool)) {}

private:
    attempts start(request&& q, options&& o) const;
    std::unique_ptr<detail::attempt_source> start(std::function<attempt()> call, options&& o) const;
    all_attempts start(detail::request_reader requests, options&& o, const concurrency& c) const;

    std::shared_ptr<detail::transport_pool> pool_;
};

}  // namespace r2::inline v0_2

#ifndef R2_COMPILED
#include "r2/client.ipp"
#endif
