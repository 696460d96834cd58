#pragma once

#include <curl/curl.h>

#include <new>
#include <string>
#include <utility>

#include "r2/curl/handles.hpp"
#include "r2/words/error.hpp"
#include "r2/words/headers.hpp"

namespace r2::inline v0_2::detail::curl {

/// The origin of a URL (RFC 6454). Credentials never leave theirs.
struct origin {
    std::string scheme;
    std::string host;
    std::string port;

    friend bool operator==(const origin&, const origin&) = default;
};

/// An absolute http or https URL, parsed by libcurl. Keeps the credentials apart from the URL.
class url {
public:
    url() : handle_(curl_url()) {
        if (!handle_) throw std::bad_alloc();
    }

    /// Replaces the URL. The error never quotes the text.
    error parse(const std::string& text) {
        curl_url_set(handle_.get(), CURLUPART_URL, nullptr, 0);
        return settle(curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME), text);
    }

    /// Follows a Location field from this URL (RFC 9110, 10.2.2; RFC 3986, 5). Ignores credentials in the reference:
    /// the server chose them. Keeps its own within the origin only.
    error follow(const std::string& reference) {
        const origin before = where();
        const std::string fragment = part(CURLUPART_FRAGMENT);
        std::string user = std::move(user_), password = std::move(password_);
        error bad = settle(curl_url_set(handle_.get(), CURLUPART_URL, reference.c_str(),
                                        CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE | CURLU_ALLOW_SPACE),
                           reference);
        if (bad) return bad;
        const bool stays = where() == before;
        user_ = stays ? std::move(user) : std::string();
        password_ = stays ? std::move(password) : std::string();
        if (part(CURLUPART_FRAGMENT).empty() && !fragment.empty())
            curl_url_set(handle_.get(), CURLUPART_FRAGMENT, fragment.c_str(), 0);
        return {};
    }

    /// The origin, with its host in lower case and its port as a number.
    origin where() const {
        std::string host = part(CURLUPART_HOST);
        for (char& c : host) c = lower(c);
        return {part(CURLUPART_SCHEME), std::move(host), part(CURLUPART_PORT, CURLU_DEFAULT_PORT)};
    }

    /// A part of the URL; empty if it has none.
    std::string part(CURLUPart which, unsigned flags = 0) const {
        char* found = nullptr;
        if (curl_url_get(handle_.get(), which, &found, flags) != CURLUE_OK) return {};
        const owned_text owned(found);
        return owned.get();
    }

    /// The whole URL, without credentials.
    std::string shown() const { return part(CURLUPART_URL); }

    const std::string& user() const noexcept { return user_; }
    const std::string& password() const noexcept { return password_; }
    bool is_secure() const noexcept { return secure_; }
    bool has_credentials() const noexcept { return !user_.empty() || !password_.empty(); }

    CURLU* get() const noexcept { return handle_.get(); }

private:
    error settle(CURLUcode parsed, const std::string& text) {
        if (parsed == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
        if (parsed == CURLUE_BAD_SCHEME)
            return {errc::invalid_request, "the URL has no scheme: it begins with http:// or https://"};
        if (parsed != CURLUE_OK)
            return {errc::invalid_request, std::string("the URL is malformed: ") + curl_url_strerror(parsed)};
        const std::string scheme = part(CURLUPART_SCHEME);
        secure_ = scheme == "https";
        if (!secure_ && scheme != "http") return {errc::invalid_request, "the URL's scheme is neither http nor https"};
        user_.clear();
        password_.clear();
        if (text.find('@') == std::string::npos) return {};  // no credentials: the parts needn't be asked for
        user_ = part(CURLUPART_USER, CURLU_URLDECODE);
        password_ = part(CURLUPART_PASSWORD, CURLU_URLDECODE);
        if (user_.empty() != part(CURLUPART_USER).empty() || password_.empty() != part(CURLUPART_PASSWORD).empty())
            return {errc::invalid_request, "the URL's credentials have an escaped control character"};
        for (const CURLUPart secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS})
            curl_url_set(handle_.get(), secret, nullptr, 0);
        return {};
    }

    url_handle handle_;
    std::string user_;
    std::string password_;
    bool secure_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
