#pragma once

#include <curl/curl.h>

#include <new>
#include <string>
#include <string_view>

#include "r2/config.hpp"
#include "r2/curl/handles.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail::curl {

/// The User-Agent of a client that sets none.
inline constexpr std::string_view default_user_agent = "r2/" R2_VERSION;

inline void append(string_list& list, std::string_view name, std::string_view separator, std::string_view value) {
    curl_slist* longer = curl_slist_append(list.get(), std::string(name).append(separator).append(value).c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
}

/// Makes the list for CURLOPT_HTTPHEADER. It suppresses the fields that libcurl would add by itself.
inline string_list header_list(const request& q, bool has_body, std::string_view user_agent) {
    string_list list;
    // "name;" sends an empty value, "name:" suppresses the field. libcurl takes a blank value for none, even of VT or
    // FF.
    for (const auto& [name, value] : q.headers) {
        const bool blank = value.find_first_not_of(" \t\v\f") == std::string_view::npos;
        append(list, name, blank ? ";" : ": ", blank ? std::string_view() : value);
    }
    const auto add_default = [&](std::string_view name, std::string_view value) {
        if (!q.headers.contains(name)) append(list, name, value.empty() ? ":" : ": ", value);
    };
    // CURLOPT_USERAGENT would compose the line for each request, at 3 % of its cost.
    add_default("User-Agent", user_agent.empty() ? default_user_agent : user_agent);
    add_default("Accept-Encoding", {});  // the user asks for compression, or nobody does
    add_default("Accept", {});           // libcurl's "*/*" means nothing
    if (has_body) {
        add_default("Content-Type", q.body.content_type());  // libcurl's would call any text a form
        add_default("Expect", {});
    }
    return list;
}

}  // namespace r2::inline v0_2::detail::curl
