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

/// What a server is to do on its connections, and what it was asked on them.
struct playbook {
    using handler = std::function<answer(const recorded_request&)>;

    monitor guard;  ///< Of the rest. The functions take it themselves.
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

    /// Whether bodies are kept, and what an "Expect: 100-continue" gets, if anything.
    std::pair<bool, std::shared_ptr<const answer>> body_settings() const {
        const auto lock = guard.lock();
        return {keep_bodies, on_expect};
    }

    void begin() {
        const auto lock = guard.lock();
        ++begun;
        guard.tell();
    }

    void record(std::shared_ptr<const recorded_request> request) {
        const auto lock = guard.lock();
        add(std::move(request));
    }

    /// Records it too. Who waited for this request may send the next one at once, so its answer is taken from the
    /// script in the same moment.
    std::shared_ptr<const answer> answer_to(const std::shared_ptr<const recorded_request>& request) {
        auto lock = guard.lock();
        const auto scripted = next_of_script(*request);
        const auto asked = handled_by;
        const auto otherwise = default_answer;
        add(request);
        lock.unlock();  // or handlers couldn't run several at a time
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
        guard.tell();
    }

    /// Null where the scripts have nothing left for it.
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
