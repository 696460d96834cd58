#include "r2/testing/ports.hpp"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "testing/clients.hpp"

namespace {

using namespace r2::testing;
using namespace r2::testkit;
using namespace std::chrono_literals;

TEST(refusing_port, refuses_a_socket_and_curl) {
    const refusing_port p;
    EXPECT_EQ(socket_client(p.port()).error(), ECONNREFUSED);
    easy e;
    EXPECT_EQ(e.run(p.url()), CURLE_COULDNT_CONNECT);
}

TEST(full_backlog, leaves_a_connection_pending_for_200_ms) {
    const full_backlog f;
    easy e;
    e.set(CURLOPT_CONNECTTIMEOUT_MS, 200L);
    const stopwatch watch;
    EXPECT_EQ(e.run(f.url()), CURLE_OPERATION_TIMEDOUT);
    EXPECT_GE(watch.elapsed(), 190ms);
    curl_off_t connected = -1;
    curl_easy_getinfo(e.handle, CURLINFO_CONNECT_TIME_T, &connected);
    EXPECT_EQ(connected, 0);
}

}  // namespace
