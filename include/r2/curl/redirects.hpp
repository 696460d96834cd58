#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/curl/url.hpp"
#include "r2/policy/redirect.hpp"
#include "r2/words/error.hpp"
#include "r2/words/request.hpp"
#include "r2/words/response.hpp"

namespace r2::inline v0_2::detail::curl {

/// The request of one attempt, from hop to hop. r2 follows redirects itself: see `redirected` for the rules.
class redirects {
public:
    /// `secret_headers`: the client's. It must outlive this.
    explicit redirects(const std::vector<std::string>& secret_headers) : secret_headers_(secret_headers) {}

    /// Begins an attempt. Keep `q` alive until `release`.
    void begin(const request& q, int max) noexcept {
        request_ = &q;
        own_.reset();
        max_ = max;
        count_ = 0;
    }

    /// Forgets the requests of the attempt.
    void release() noexcept {
        request_ = nullptr;
        own_.reset();
    }

    /// The request of this hop.
    const request& current() const noexcept { return *request_; }

    /// The Location to follow; nothing where the response is final.
    std::optional<std::string> location(const response& r) const {
        if (max_ <= 0 || !is_redirect(r.status)) return std::nullopt;
        const std::optional<std::string_view> found = r.headers.get("Location");
        return found ? std::optional(std::string(*found)) : std::nullopt;
    }

    /// Makes the request of the next hop, and moves `u` on to its URL. Returns an error where r2 doesn't follow.
    error follow(const std::string& location, int status, url& u) {
        if (++count_ > max_) return refusal(errc::too_many_redirects, "more than " + std::to_string(max_));
        const origin before = u.where();
        const bool was_secure = u.is_secure();
        if (u.follow(location)) return refusal(errc::protocol, "a redirect that can't be followed");
        if (was_secure && !u.is_secure())
            return refusal(errc::protocol, "a redirect from https to http, which isn't followed");
        left_origin_ = u.where() != before;
        own_ = redirected(own_ ? std::move(*own_) : *request_, status, u.shown(), !left_origin_, secret_headers_);
        request_ = &*own_;
        return {};
    }

    /// Whether the last hop led to another origin.
    bool left_origin() const noexcept { return left_origin_; }

private:
    static error refusal(errc kind, std::string why) {
        return {kind, {static_cast<int>(kind), r2_category()}, std::move(why), sent::maybe, false};
    }

    const std::vector<std::string>& secret_headers_;
    const request* request_ = nullptr;  // the caller's, or own_
    std::optional<request> own_;
    int max_ = 0;
    int count_ = 0;
    bool left_origin_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
