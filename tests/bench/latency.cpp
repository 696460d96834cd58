/// Measures how soon a stop, a timeout and a deadline end a transfer or a wait: percentiles over 200 runs of each
/// situation, 50 for the timeout and the deadline.
/// usage: latency
///        latency --check   fails if the 99th percentile is over 5 ms for a stop, or 20 ms for a timeout or a deadline
#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "r2/r2.hpp"
#include "r2/testing/ports.hpp"
#include "r2/testing/server.hpp"
#include "support/names.hpp"

namespace {

using namespace std::chrono_literals;
using namespace r2::testing;
using r2::testkit::hung_names;
using clock_type = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{60};

/// A transfer or a wait that lasts until a stop or a limit ends it.
struct situation {
    std::string name;
    bool is_sleep = false;
    std::function<r2::attempts(r2::options)> begin;
    std::function<void()> wait_until_there;
};

/// Makes the situations, and owns their servers and clients.
class world {
public:
    world() {
        busy_.default_answer(reply(503, "busy"));
        closed_for_an_hour_.default_answer(reply(503, "busy", {{"Retry-After", "3600"}}));
        silent_.default_answer(nothing().hang());
        trickling_.default_answer(reply(200, std::string(1'000'000, 't')).trickle(1, 1ms));
        no_tls_.on_every_connection(fault::hang_on_accept());
        no_reader_.on_every_connection(fault::stop_reading_after_head());
    }

    std::vector<situation> sleeps() {
        return {
            {"backoff sleep", true,
             noted(busy_.url(), {.backoff = r2::backoff::constant(1h), .jitter = r2::jitter::none()}),
             [this] { decided_.acquire(); }},
            {"Retry-After sleep of an hour", true, noted(closed_for_an_hour_.url(), {}),
             [this] { decided_.acquire(); }},
        };
    }

    std::vector<situation> transfers() {
        return {
            {"connect to a full backlog", false,
             [this](r2::options o) { return noting_its_sockets_.get(full_.url(), std::move(o)); },
             [this] { connecting_.acquire(); }},
            {"TLS handshake that stalls", false, get(stalling_https()), nth_connection(no_tls_)},
            {"server that says nothing", false, get(silent_.url()), nth_request(silent_)},
            {"body that trickles", false, get(trickling_.url()), nth_request(trickling_)},
            {"upload that nobody reads", false,
             [this](r2::options o) { return small_buffers_.put(no_reader_.url(), upload_, std::move(o)); },
             nth_request(no_reader_)},
            {"name look-up that hangs", false, get(names_.url()),
             [this, n = std::size_t{0}]() mutable { names_.wait_for_lookups(++n, patience); }},
        };
    }

    std::string stalling_https() const { return "https" + no_tls_.url().substr(4); }

private:
    std::function<r2::attempts(r2::options)> get(std::string url) {
        return [this, url](r2::options o) { return client_.get(url, std::move(o)); };
    }
    std::function<r2::attempts(r2::options)> noted(std::string url, r2::options policy) {
        return [this, url, policy](const r2::options& o) {
            r2::options mine = policy;
            mine.stop = o.stop;
            mine.on_attempt = [this](const r2::request&, const r2::attempt&) { decided_.release(); };
            return client_.get(url, mine);
        };
    }
    static std::function<void()> nth_request(server& s) {
        return [&s, n = std::size_t{0}]() mutable { s.wait_for_requests(++n, patience); };
    }
    static std::function<void()> nth_connection(server& s) {
        return [&s, n = std::size_t{0}]() mutable { s.wait_for_connections(++n, patience); };
    }

    static curl_socket_t open_noted(void* self, curlsocktype, curl_sockaddr* a) {
        static_cast<std::counting_semaphore<>*>(self)->release();
        return ::socket(a->family, a->socktype, a->protocol);
    }
    // Otherwise the FIN would queue behind megabytes that the server never reads.
    static curl_socket_t open_small(void*, curlsocktype, curl_sockaddr* a) {
        const int fd = ::socket(a->family, a->socktype, a->protocol), size = 32 << 10;
        const linger reset{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        return fd;
    }

    hung_names names_;
    full_backlog full_;
    server busy_, closed_for_an_hour_, silent_, trickling_, no_tls_, no_reader_;
    std::counting_semaphore<> decided_{0}, connecting_{0};
    const std::string upload_ = std::string(1 << 20, 'u');
    r2::client client_{{.connect_timeout = patience}};
    r2::client noting_its_sockets_{{.connect_timeout = patience, .configure = [this](CURL* easy) {
                                        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_noted);
                                        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &connecting_);
                                    }}};
    r2::client small_buffers_{{.connect_timeout = patience, .configure = [](CURL* easy) {
                                   curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_small);
                               }}};
};

/// The latencies of r2, and those of a bare wake-up of a thread, measured in turn.
struct latencies {
    std::vector<r2::duration> r2, bare;
};

/// Measures from the call of `end`, on another thread after a random pause, to the return of `wait`.
template <class Wait, class End> r2::duration took(Wait wait, End end) {
    static std::minstd_rand chance(1);
    clock_type::time_point requested;
    std::thread ender([&, pause = std::chrono::microseconds(chance() % 3000)] { end(pause, requested); });
    wait();
    const auto ended = clock_type::now();
    ender.join();
    return ended - requested;
}

latencies after_stop(situation& s) {
    latencies all;
    for (int run = 0; run < 200; ++run) {
        std::stop_source source;
        r2::attempts range = s.begin({.max_attempts = s.is_sleep ? 0 : 1, .stop = source.get_token()});
        r2::attempt last{r2::error()};
        all.r2.push_back(took([&] { last = range.finish(); },
                              [&](auto pause, auto& requested) {
                                  s.wait_until_there();
                                  std::this_thread::sleep_for(pause);
                                  requested = clock_type::now();
                                  source.request_stop();
                              }));
        if (range.ended() != r2::ended::stopped || s.is_sleep != (last.response() != nullptr))
            throw std::runtime_error(s.name + ": something else ended it");

        std::binary_semaphore woken{0};
        all.bare.push_back(took([&] { woken.acquire(); },
                                [&](auto pause, auto& requested) {
                                    std::this_thread::sleep_for(pause);
                                    requested = clock_type::now();
                                    woken.release();
                                }));
    }
    return all;
}

latencies after_limit(situation& s, r2::duration r2::options::*which) {
    constexpr r2::duration limit = 20ms;
    latencies all;
    for (int run = 0; run < 50; ++run) {
        r2::options o{.max_attempts = 1};
        o.*which = limit;
        r2::attempts range = s.begin(o);
        auto began = clock_type::now();
        const r2::attempt a = range.finish();
        all.r2.push_back(clock_type::now() - began - limit);
        if (!(a.error() == r2::errc::timeout)) throw std::runtime_error(s.name + ": " + a.error().message());

        began = clock_type::now();
        std::this_thread::sleep_for(limit);
        all.bare.push_back(clock_type::now() - began - limit);
    }
    return all;
}

double first_https(const world& w) {
    std::vector<double> took;
    for (int run = 0; run < 9; ++run) {
        const r2::client fresh;
        const r2::attempt a = fresh.get(w.stalling_https(), {.max_attempts = 1, .timeout = 1ms}).finish();
        took.push_back(static_cast<double>(a.elapsed().count()) / 1e6);
    }
    std::sort(took.begin(), took.end());
    return took[took.size() / 2];
}

r2::duration percentile(std::vector<r2::duration> all, std::size_t percent) {
    std::sort(all.begin(), all.end());
    return all[std::min(all.size() * percent / 100, all.size() - 1)];
}

/// Prints a row of the table. Returns false if the 99th percentile is more than `bound` above the bare wake-up's.
bool print(const std::string& name, const latencies& l, r2::duration bound) {
    const bool good = percentile(l.r2, 99) <= bound + percentile(l.bare, 99);
    std::printf("%-36s", name.c_str());
    for (const r2::duration d : {percentile(l.r2, 50), percentile(l.r2, 99), percentile(l.r2, 100),
                                 percentile(l.bare, 50), percentile(l.bare, 99), percentile(l.bare, 100)})
        std::printf(" %8.2f", static_cast<double>(d.count()) / 1e6);
    std::printf("%s\n", good ? "" : "   over the bound");
    std::fflush(stdout);
    return good;
}

void print_heading(const std::string& what) {
    std::printf("\n%-36s %8s %8s %8s %8s %8s %8s\n", what.c_str(), "p50", "p99", "max", "bare p50", "p99", "max");
}

}  // namespace

int main(int argc, char** argv) {
    const bool check = argc > 1 && std::string_view(argv[1]) == "--check";
    // Another program may occupy the processor for longer than the bound in a run of r2 and not in one of the bare
    // wake-up. A defect of r2 would show in each try.
    const int tries = check ? 8 : 1;
    world w;
    bool all_good = true;
    const auto measure = [&](const std::string& name, r2::duration bound, const auto& run) {
        bool good = false;
        for (int n = 0; n < tries && !good; ++n) good = print(name, run(), bound);
        all_good = all_good && good;
    };

    // Not checked: for the first https transfer, libcurl parses the CA bundle, which can't be interrupted.
    std::printf("the first https request of a client, cut after 1 ms, took %.2f ms\n", first_https(w));
    print_heading("milliseconds from the stop to the end");
    auto all = w.sleeps();
    for (situation& s : w.transfers()) all.push_back(std::move(s));
    for (situation& s : all) measure(s.name, 5ms, [&] { return after_stop(s); });

    const std::pair<const char*, r2::duration r2::options::*> limits[] = {{"timeout", &r2::options::timeout},
                                                                          {"deadline", &r2::options::deadline}};
    for (const auto& [name, which] : limits) {
        print_heading("milliseconds past the " + std::string(name));
        for (situation& s : w.transfers()) measure(s.name, 20ms, [&, which = which] { return after_limit(s, which); });
    }
    return check && !all_good ? 1 : 0;
}
