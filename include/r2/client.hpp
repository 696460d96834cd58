#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "r2/curl/pool.hpp"
#include "r2/engine.hpp"
#include "r2/policy/options.hpp"
#include "r2/range/all.hpp"
#include "r2/range/attempts.hpp"
#include "r2/range/loop.hpp"
#include "r2/range/many.hpp"
#include "r2/range/retry.hpp"

namespace r2 {

/// Connections, TLS and proxy settings, shared by the ranges that are made through it. Used from any thread; a range
/// keeps what it needs of its client alive. Not usable across fork().
///
/// Its members are templates so that the engine is compiled where they are called, and not wherever this is included; T
/// is always void.
class client {
public:
    template <class T = void>
    client(client_options settings = {}) : pool_(std::make_shared<curl::pool<T>>(std::move(settings))) {}

    template <class T = void> attempts get(std::string url, options o = {}) const {
        return start<T>({"GET", std::move(url)}, std::move(o));
    }
    template <class T = void> attempts head(std::string url, options o = {}) const {
        return start<T>({"HEAD", std::move(url)}, std::move(o));
    }
    template <class T = void> attempts post(std::string url, body b, options o = {}) const {
        return start<T>({"POST", std::move(url), {}, std::move(b)}, std::move(o));
    }
    template <class T = void> attempts put(std::string url, body b, options o = {}) const {
        return start<T>({"PUT", std::move(url), {}, std::move(b)}, std::move(o));
    }
    template <class T = void> attempts patch(std::string url, body b, options o = {}) const {
        return start<T>({"PATCH", std::move(url), {}, std::move(b)}, std::move(o));
    }
    template <class T = void> attempts del(std::string url, options o = {}) const {
        return start<T>({"DELETE", std::move(url)}, std::move(o));
    }

    /// A template, so that `del(url, {})` means the options.
    template <std::convertible_to<body> B> attempts del(std::string url, B&& b, options o = {}) const {
        return start<void>({"DELETE", std::move(url), {}, std::forward<B>(b)}, std::move(o));
    }

    /// Sends the fields as application/x-www-form-urlencoded, whatever `content_type` says.
    template <class T = void> attempts post_form(std::string url, const form& fields, options o = {}) const {
        o.content_type = body::form_content_type;
        return post<T>(std::move(url), fields, std::move(o));
    }

    /// Any method. `options::headers`, `idempotency_key` and `content_type` are put over the request's own fields.
    template <class T = void> attempts send(request q, options o = {}) const {
        return start<T>(std::move(q), std::move(o));
    }

    /// See the free `retry`. Waits on an engine of this client.
    template <std::invocable F> retries<F> retry(F f, options o = {}) const {
        auto calls = std::unique_ptr<detail::calls<F>>(new detail::calls<F>{std::move(f)});
        auto j = std::unique_ptr<detail::job>(
            new detail::job{pool_, {}, detail::for_calls(std::move(o), *calls), std::ref(*calls)});
        return {std::move(calls), run<void>(std::move(j))};
    }

    /// See the free `all`.
    template <detail::requests R> all_attempts all(R&& requests, options o = {}, concurrency c = {}) const {
        auto reader = std::make_shared<detail::job_reader<R>>(std::forward<R>(requests));
        return all_attempts(std::make_unique<detail::many<>>(
            pool_, [reader = std::move(reader)] { return (*reader)(); }, std::move(o), c));
    }

protected:
    /// A client on other engines than libcurl's.
    struct on_engines {};
    client(on_engines, std::shared_ptr<engine_pool> engines) : pool_(std::move(engines)) {}

private:
    template <class T = void> attempts start(request&& q, options&& o) const {
        detail::put_over(q, o);
        return run<T>(std::unique_ptr<detail::job>(new detail::job{pool_, std::move(q), std::move(o)}));
    }

    std::shared_ptr<engine_pool> pool_;
};

/// The process-wide client that the free verbs use. Never destroyed, so that ranges may run until the very end.
template <class = void> client& default_client() {
    static client& only = *new client;
    return only;
}

}  // namespace r2
