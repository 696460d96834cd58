#pragma once

#include "r2/client.hpp"
#include "r2/curl/pool.hpp"
#include "r2/drivers/driver.hpp"
#include "r2/drivers/scheduler.hpp"

namespace r2::inline v0_2 {

R2_INLINE client::client(client_options settings) : pool_(std::make_shared<detail::curl::pool>(std::move(settings))) {}

R2_INLINE attempts client::get(std::string url, options o) const {
    return start({"GET", std::move(url)}, std::move(o));
}
R2_INLINE attempts client::head(std::string url, options o) const {
    return start({"HEAD", std::move(url)}, std::move(o));
}
R2_INLINE attempts client::post(std::string url, body b, options o) const {
    return start({"POST", std::move(url), {}, std::move(b)}, std::move(o));
}
R2_INLINE attempts client::put(std::string url, body b, options o) const {
    return start({"PUT", std::move(url), {}, std::move(b)}, std::move(o));
}
R2_INLINE attempts client::patch(std::string url, body b, options o) const {
    return start({"PATCH", std::move(url), {}, std::move(b)}, std::move(o));
}
R2_INLINE attempts client::del(std::string url, options o) const {
    return start({"DELETE", std::move(url)}, std::move(o));
}

R2_INLINE attempts client::post_form(std::string url, const form& fields, options o) const {
    o.content_type = body::form_content_type;
    return start({"POST", std::move(url), {}, fields}, std::move(o));
}

R2_INLINE attempts client::send(request q, options o) const { return start(std::move(q), std::move(o)); }

R2_INLINE attempts client::start(request&& q, options&& o) const {
    detail::put_over(q, o);
    return attempts(std::make_unique<detail::driver>(pool_, std::move(q), std::move(o)));
}

R2_INLINE std::unique_ptr<detail::attempt_source> client::start(std::function<attempt()> call, options&& o) const {
    return std::make_unique<detail::driver>(pool_, request(), std::move(o), std::move(call));
}

R2_INLINE all_attempts client::start(detail::request_reader requests, options&& o, const concurrency& c) const {
    return all_attempts(std::make_unique<detail::scheduler>(pool_, std::move(requests), std::move(o), c));
}

}  // namespace r2::inline v0_2
