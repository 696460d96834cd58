#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "r2/policy/predicate.hpp"

namespace r2::inline v0_2 {

namespace detail {

/// The error codes of AWS that mean "too many requests" (aws-sdk-go-v2, retry.DefaultThrottleErrorCodes).
inline constexpr std::array<std::string_view, 14> throttling_codes = {"Throttling",
                                                                      "ThrottlingException",
                                                                      "ThrottledException",
                                                                      "RequestThrottledException",
                                                                      "TooManyRequestsException",
                                                                      "ProvisionedThroughputExceededException",
                                                                      "TransactionInProgressException",
                                                                      "RequestLimitExceeded",
                                                                      "BandwidthLimitExceeded",
                                                                      "LimitExceededException",
                                                                      "RequestThrottled",
                                                                      "SlowDown",
                                                                      "PriorRequestNotComplete",
                                                                      "EC2ThrottledException"};

/// Takes a code as it is sent: "prefix#Code" in JSON, "Code:http://…" in the header field.
constexpr bool is_throttling_code(std::string_view sent) noexcept {
    sent = sent.substr(0, sent.find_first_of(":,"));
    if (const auto prefix = sent.rfind('#'); prefix != std::string_view::npos) sent.remove_prefix(prefix + 1);
    return std::find(throttling_codes.begin(), throttling_codes.end(), sent) != throttling_codes.end();
}

/// Returns the text after the first `mark`, up to `end`.
constexpr std::string_view after(std::string_view text, std::string_view mark, char end) noexcept {
    const auto place = text.find(mark);
    if (place == std::string_view::npos) return {};
    text.remove_prefix(place + mark.size());
    return text.substr(0, text.find(end));
}

/// Returns the string value of this name in JSON. Good enough for a body of a few fields.
constexpr std::string_view json_string(std::string_view text, std::string_view quoted_name) noexcept {
    const auto place = text.find(quoted_name);
    if (place == std::string_view::npos) return {};
    text.remove_prefix(place + quoted_name.size());
    const auto value = text.find_first_not_of(" \t\r\n:");
    return value != std::string_view::npos && text[value] == '"' ? after(text, "\"", '"') : std::string_view{};
}

struct throttled_t : predicate_base {
    bool operator()(const response& res) const noexcept {
        if (res.status < 400) return false;
        if (res.status == 429) return true;
        if (const auto code = res.headers.get("x-amzn-ErrorType")) return is_throttling_code(*code);
        const std::string_view body = std::string_view(res.body).substr(0, 4096);  // the code comes early in an error
        return is_throttling_code(after(body, "<Code>", '<')) || is_throttling_code(json_string(body, "\"__type\"")) ||
               is_throttling_code(json_string(body, "\"code\""));
    }
    bool operator()(const attempt& a) const noexcept { return a.response() && (*this)(*a.response()); }
};

}  // namespace detail

/// True for a response that means "too many requests": 429, or a status from 400 on with a throttling code of AWS, such
/// as SlowDown, in `x-amzn-ErrorType` or in the first 4 KiB of a JSON or XML body.
inline constexpr detail::throttled_t throttled;

}  // namespace r2::inline v0_2
