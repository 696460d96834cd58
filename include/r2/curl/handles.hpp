#pragma once

#include <curl/curl.h>

#include <memory>

#if LIBCURL_VERSION_NUM < 0x075700
#error "r2 needs libcurl 7.87 or later"  // for CURLOPT_QUICK_EXIT
#endif

namespace r2::inline v0_2::detail::curl {

/// A deleter that calls `Free`.
template <auto Free> struct freed_by {
    template <class T> void operator()(T* p) const noexcept { Free(p); }
};

using easy_handle = std::unique_ptr<CURL, freed_by<curl_easy_cleanup>>;
using multi_handle = std::unique_ptr<CURLM, freed_by<curl_multi_cleanup>>;
using share_handle = std::unique_ptr<CURLSH, freed_by<curl_share_cleanup>>;
using url_handle = std::unique_ptr<CURLU, freed_by<curl_url_cleanup>>;
using string_list = std::unique_ptr<curl_slist, freed_by<curl_slist_free_all>>;
using owned_text = std::unique_ptr<char, freed_by<curl_free>>;

/// Initialises libcurl, once per process. Never cleans up: other parts of the program may use libcurl until the end.
inline void initialise() noexcept {
    [[maybe_unused]] static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/// A share for the easy handles of one thread: resolved names and TLS sessions. Not connections: sharing these crashes
/// libcurl. Null if there is no memory.
inline share_handle make_share() noexcept {
    share_handle share(curl_share_init());
    if (!share) return share;
    curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return share;
}

}  // namespace r2::inline v0_2::detail::curl
