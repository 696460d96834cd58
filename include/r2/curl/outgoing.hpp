#pragma once

#include <curl/curl.h>

#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "r2/curl/handles.hpp"
#include "r2/curl/settings.hpp"
#include "r2/curl/upload.hpp"
#include "r2/policy/client_options.hpp"
#include "r2/words/check.hpp"
#include "r2/words/error.hpp"
#include "r2/words/request.hpp"

namespace r2::inline v0_2::detail::curl {

/// The method, headers and body that an easy handle is set to. Sets only what differs from the request before.
class outgoing {
public:
    /// `q` has to live until the transfer is over. A body that can't be read is an error.
    error load(CURL* easy, const request& q, const client_options& o) {
        if (r2::detail::has_line_break(o.user_agent))
            return {errc::invalid_request, "client_options::user_agent has CR, LF or NUL in it"};
        const std::string_view method = q.method;
        const bool needs_length = method == "POST" || method == "PUT" || method == "PATCH";  // RFC 9110, 8.6
        const bool has_body = !q.body.empty() || needs_length;
        if (q.body.is_file()) {
            if (!file_.open(q.body.path()))
                return {errc::body_unreadable, "no regular file that can be read at " + std::string(q.body.path())};
            set(easy, CURLOPT_UPLOAD, 1L);
            set(easy, CURLOPT_INFILESIZE_LARGE, file_.size());
            set_method(easy, q.method, "PUT");
        } else if (has_body) {
            set(easy, CURLOPT_POST, 1L);
            set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(q.body.text().size()));
            set(easy, CURLOPT_POSTFIELDS, q.body.empty() ? "" : q.body.text().data());
            set_method(easy, q.method, "POST");
        } else if (method == "HEAD") {
            set(easy, CURLOPT_NOBODY, 1L);
            set_method(easy, q.method, "HEAD");
        } else {
            if (natural_ != "GET") set(easy, CURLOPT_HTTPGET, 1L);
            set_method(easy, q.method, "GET");
        }
        set_headers(easy, q, has_body, o.user_agent);
        return {};
    }

    upload& file() noexcept { return file_; }

    /// Of the body, in bytes.
    curl_off_t size(const request& q) const noexcept {
        return q.body.is_file() ? file_.size() : static_cast<curl_off_t>(q.body.text().size());
    }

private:
    static constexpr std::string_view default_user_agent = "r2/0.1.0";

    /// `natural` is the method that libcurl sends without being told.
    void set_method(CURL* easy, const std::string& method, std::string_view natural) {
        if (method_ == method && natural_ == natural) return;
        set(easy, CURLOPT_CUSTOMREQUEST, method == natural ? nullptr : method.c_str());
        method_ = method;
        natural_ = natural;
    }

    void set_headers(CURL* easy, const request& q, bool has_body, std::string_view user_agent) {
        if (list_ && headers_ == q.headers && has_body_ == has_body && type_ == q.body.content_type()) return;
        string_list list;
        const auto append = [&](std::string_view name, std::string_view separator, std::string_view value) {
            curl_slist* longer =
                curl_slist_append(list.get(), std::string(name).append(separator).append(value).c_str());
            if (!longer) throw std::bad_alloc();
            static_cast<void>(list.release());
            list.reset(longer);
        };
        // In libcurl's words, "name;" is an empty value, and "name:" is none: what it would send by itself is left out.
        // A value of blanks is none to it either, VT and FF included.
        for (const auto& [name, value] : q.headers) {
            const bool blank = value.find_first_not_of(" \t\v\f") == std::string_view::npos;
            append(name, blank ? ";" : ": ", blank ? std::string_view() : value);
        }
        const auto unless_given = [&](std::string_view name, std::string_view value) {
            if (!q.headers.contains(name)) append(name, value.empty() ? ":" : ": ", value);
        };
        // Here rather than by CURLOPT_USERAGENT, which composes the line anew for each request: 3 % of its cost.
        unless_given("User-Agent", user_agent.empty() ? default_user_agent : user_agent);
        unless_given("Accept-Encoding", {});  // compression is the user's to ask for; what comes is decoded
        unless_given("Accept", {});           // "*/*" says no more
        if (has_body) {
            unless_given("Content-Type", q.body.content_type());  // else libcurl says that any is a form
            unless_given("Expect", {});
        }
        set(easy, CURLOPT_HTTPHEADER, list.get());
        list_ = std::move(list);
        headers_ = q.headers;
        has_body_ = has_body;
        type_ = q.body.content_type();
    }

    upload file_;
    string_list list_;

    // What the handle is set to; at first whatever the user's `configure` made of it.
    std::string method_;
    std::string_view natural_;
    headers headers_;
    std::string_view type_;
    bool has_body_ = false;
};

}  // namespace r2::inline v0_2::detail::curl
