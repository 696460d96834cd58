#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "r2/testing/answer.hpp"
#include "r2/testing/fault.hpp"
#include "r2/testing/monitor.hpp"
#include "r2/testing/recorded_request.hpp"

namespace r2::inline v0_2::testing::detail {

/// The scripts of a server, and the record of its requests.
struct playbook {
    using handler = std::function<answer(const recorded_request&)>;

    monitor guard;  ///< Guards the rest. The functions lock it themselves.
    std::deque<answer> script = {};
    std::map<std::string, std::deque<answer>, std::less<>> paths = {};
    std::shared_ptr<const handler> handled_by = {};
    std::shared_ptr<const answer> default_answer = std::make_shared<const answer>(reply(200, "ok"));
    std::shared_ptr<const answer> on_expect = {};
    std::map<int, fault> faults = {};
    fault every_fault = fault::none();
    bool keep_bodies = true;
    bool keep_requests = true;
    std::vector<std::shared_ptr<const recorded_request>> log = {};
    std::size_t count = 0;
    std::size_t begun = 0;

    fault fault_of(int connection) const {
        const auto lock = guard.lock();
        const auto found = faults.find(connection);
        return found == faults.end() ? every_fault : found->second;
    }

    /// Returns whether bodies are kept, and the answer to "Expect: 100-continue", if any.
    std::pair<bool, std::shared_ptr<const answer>> body_settings() const {
        const auto lock = guard.lock();
        return {keep_bodies, on_expect};
    }

    void begin() {
        const auto lock = guard.lock();
        ++begun;
        guard.notify();
    }

    void record(std::shared_ptr<const recorded_request> request) {
        const auto lock = guard.lock();
        add(std::move(request));
    }

    /// Returns the answer to a request, and records the request. Both under one lock: a test that waits for this
    /// request may send the next one at once, which must not take this one's answer.
    std::shared_ptr<const answer> answer_to(const std::shared_ptr<const recorded_request>& request) {
        auto lock = guard.lock();
        const auto scripted = next_of_script(*request);
        const auto asked = handled_by;
        const auto otherwise = default_answer;
        add(request);
        lock.unlock();  // so that several handlers may run at once
        if (scripted || !asked) return scripted ? scripted : otherwise;
        try {
            return std::make_shared<const answer>((*asked)(*request));
        } catch (const std::exception& error) {
            return std::make_shared<const answer>(reply(500, error.what()));
        } catch (...) {
            return std::make_shared<const answer>(reply(500, "the handler threw what is no std::exception"));
        }
    }

private:
    void add(std::shared_ptr<const recorded_request> request) {
        ++count;
        if (keep_requests) log.push_back(std::move(request));
        guard.notify();
    }

    /// Returns null if the scripts have no answer left for this request.
    std::shared_ptr<const answer> next_of_script(const recorded_request& request) {
        const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
        const auto of_path = paths.find(path);
        for (std::deque<answer>* from : {of_path == paths.end() ? nullptr : &of_path->second, &script}) {
            if (!from || from->empty()) continue;
            auto first = std::make_shared<const answer>(std::move(from->front()));
            from->pop_front();
            return first;
        }
        return nullptr;
    }
};

}  // namespace r2::inline v0_2::testing::detail
