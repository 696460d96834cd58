#pragma once

#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <r2/r2.hpp>
#include <r2/testing.hpp>

namespace {

using namespace std::chrono_literals;

/// The attempts of all verbs, through the process-wide client. Nothing is sent: the URL is invalid.
inline int refused_by_all_verbs() {
    const std::string url = "not a url";
    const r2::options once{.max_attempts = 1};
    int refused = 0;
    const auto count = [&](r2::attempts range) { refused += range.finish().error() == r2::errc::invalid_request; };
    count(r2::get(url, once));
    count(r2::head(url, once));
    count(r2::post(url, "body", once));
    count(r2::put(url, "body", once));
    count(r2::patch(url, "body", once));
    count(r2::del(url, once));
    count(r2::del(url, "body", once));
    count(r2::post_form(url, {{"a", "b"}}, once));
    count(r2::send({.method = "PURGE", .url = url}, once));
    for (auto& a : r2::all(std::vector{url, url}, once)) refused += a.error() == r2::errc::invalid_request;
    return refused;
}

/// One range with all guards, predicates and hooks, on virtual time: two attempts, each with a hedged copy.
inline int attempts_with_all_policies() {
    r2::testing::fake_client fake;
    fake.reply(503).reply({.status = 429, .headers = {{"Retry-After", "7"}}}).fail(r2::errc::timeout).reply(200, "ok");
    r2::journal log;
    r2::shutdown down;
    r2::options policy;
    policy.max_attempts = 5;
    policy.timeout = 1s;
    policy.terminate_if = r2::status_is(200) && r2::body_contains("ok") && !r2::header_is("X-State", "running");
    policy.retry_if = r2::transient || r2::status_between(400, 599) || r2::failed_with(r2::errc::timeout);
    policy.backoff = r2::backoff::exponential(1s, 2.0, 30s);
    policy.jitter = r2::jitter::equal();
    policy.idempotency_key = r2::fresh_key();
    policy.before_attempt = [](r2::request& q) { q.headers.set("X-Signed", "yes"); };
    policy.after_attempt = [](const r2::request&, r2::attempt&) {};
    policy.on_attempt = log.observer();
    policy.guards = {std::make_shared<r2::adaptive_limiter>(), std::make_shared<r2::circuit_breaker>(),
                     std::make_shared<r2::rate_limiter>(r2::rate_limiter_options{.permits = 100}),
                     r2::retry_budget::aws()};
    policy.hedge = {.copies = 1, .after = 10s};
    policy.via = &fake;

    int seen = 0;
    r2::attempts range = r2::get("http://job.test/", down.work(policy));
    for (auto&& [res, err] : range) seen += res != nullptr || static_cast<bool>(err);
    std::ostringstream text;
    text << log << range.summary() << r2::plan(policy, {503, r2::errc::timeout, 200})
         << to_string(r2::decide(policy, 503).ended);
    return range.ended() == r2::ended::condition_met && !text.str().empty() ? seen : 0;
}

inline int calls_until_success() {
    r2::testing::fake_client fake;
    int calls = 0;
    const auto third_time = [&] {
        if (++calls < 3) throw std::runtime_error("not yet");
        return calls;
    };
    int result = 0;
    for (auto&& [value, err] : fake.retry(third_time))
        if (value) result = *value;
    return result;
}

/// One request over a socket of the loopback.
inline int status_of_a_server() {
    r2::testing::server s;
    s.default_answer(r2::testing::reply(204, ""));
    const r2::attempt last = r2::client({.proxy = {}}).get(s.url(), {.max_attempts = 1, .timeout = 10s}).finish();
    return last.response() ? last.response()->status : 0;
}

/// 0 if all of r2 works in this file.
inline int use_all() {
    const int refused = refused_by_all_verbs(), attempts = attempts_with_all_policies(), calls = calls_until_success(),
              status = status_of_a_server();
    std::cout << refused << " refused, " << attempts << " attempts, " << calls << " calls, status " << status << '\n';
    return refused == 11 && attempts == 2 && calls == 3 && status == 204 ? 0 : 1;
}

}  // namespace
