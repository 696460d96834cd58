#pragma once

#include "r2/verbs.hpp"

namespace r2::inline v0_2 {

R2_INLINE const client& detail::client_of(const options& o) {
    static const client& process_wide = *new client;
    return o.via ? *o.via : process_wide;
}

R2_INLINE attempts get(std::string url, options o) {
    const client& c = detail::client_of(o);
    return c.get(std::move(url), std::move(o));
}
R2_INLINE attempts head(std::string url, options o) {
    const client& c = detail::client_of(o);
    return c.head(std::move(url), std::move(o));
}
R2_INLINE attempts post(std::string url, body b, options o) {
    const client& c = detail::client_of(o);
    return c.post(std::move(url), std::move(b), std::move(o));
}
R2_INLINE attempts put(std::string url, body b, options o) {
    const client& c = detail::client_of(o);
    return c.put(std::move(url), std::move(b), std::move(o));
}
R2_INLINE attempts patch(std::string url, body b, options o) {
    const client& c = detail::client_of(o);
    return c.patch(std::move(url), std::move(b), std::move(o));
}
R2_INLINE attempts del(std::string url, options o) {
    const client& c = detail::client_of(o);
    return c.del(std::move(url), std::move(o));
}
R2_INLINE attempts post_form(std::string url, const form& fields, options o) {
    const client& c = detail::client_of(o);
    return c.post_form(std::move(url), fields, std::move(o));
}
R2_INLINE attempts send(request q, options o) {
    const client& c = detail::client_of(o);
    return c.send(std::move(q), std::move(o));
}

}  // namespace r2::inline v0_2
