#pragma once

#include <concepts>
#include <string>
#include <utility>

#include "r2/client.hpp"

namespace r2 {

namespace detail {

template <class = void> const client& client_of(const options& o) { return o.via ? *o.via : default_client(); }

}  // namespace detail

// The verbs, through `options::via` or else the default client. Each returns at once; what is sent is sent by the
// range.

template <class = void> attempts get(std::string url, options o = {}) {
    const client& c = detail::client_of(o);
    return c.get(std::move(url), std::move(o));
}

template <class = void> attempts head(std::string url, options o = {}) {
    const client& c = detail::client_of(o);
    return c.head(std::move(url), std::move(o));
}

template <class = void> attempts post(std::string url, body b, options o = {}) {
    const client& c = detail::client_of(o);
    return c.post(std::move(url), std::move(b), std::move(o));
}

template <class = void> attempts put(std::string url, body b, options o = {}) {
    const client& c = detail::client_of(o);
    return c.put(std::move(url), std::move(b), std::move(o));
}

template <class = void> attempts patch(std::string url, body b, options o = {}) {
    const client& c = detail::client_of(o);
    return c.patch(std::move(url), std::move(b), std::move(o));
}

template <class = void> attempts del(std::string url, options o = {}) {
    const client& c = detail::client_of(o);
    return c.del(std::move(url), std::move(o));
}

/// With a body. A template, so that `del(url, {})` means the options.
template <std::convertible_to<body> B> attempts del(std::string url, B&& b, options o = {}) {
    const client& c = detail::client_of(o);
    return c.del(std::move(url), std::forward<B>(b), std::move(o));
}

/// Sends the fields as application/x-www-form-urlencoded, in their order, a space as '+'.
template <class = void> attempts post_form(std::string url, const form& fields, options o = {}) {
    const client& c = detail::client_of(o);
    return c.post_form(std::move(url), fields, std::move(o));
}

/// Any method.
template <class = void> attempts send(request q, options o = {}) {
    const client& c = detail::client_of(o);
    return c.send(std::move(q), std::move(o));
}

}  // namespace r2
