#include "r2/testing/fault.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "r2/testing/server.hpp"
#include "testing/clients.hpp"

namespace {

using namespace r2::testing;
using namespace r2::testkit;
using namespace std::chrono_literals;

TEST(fault, resets_the_1st_connection_and_spares_the_2nd) {
    server s;
    s.on_connection(1, fault::reset_on_accept());
    socket_client c(s.port());
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), ECONNRESET);
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(s.connections(), 2U);
}

TEST(fault, closes_on_acceptance_without_a_reset) {
    server s;
    s.on_every_connection(fault::close_on_accept());
    socket_client c(s.port());
    c.get();
    EXPECT_EQ(c.piece(), "");
    EXPECT_EQ(c.error(), 0);
    easy e;
    EXPECT_EQ(e.run(s.url()), CURLE_GOT_NOTHING);
    EXPECT_EQ(s.request_count(), 0U);
}

TEST(fault, hangs_on_acceptance) {
    server s;
    s.on_every_connection(fault::hang_on_accept());
    s.on_connection(2, fault::none());
    easy e;
    e.set(CURLOPT_TIMEOUT_MS, 80L);
    EXPECT_EQ(e.run(s.url()), CURLE_OPERATION_TIMEDOUT);
    e.set(CURLOPT_TIMEOUT_MS, 10'000L);
    EXPECT_EQ(e.run(s.url()), CURLE_OK);
    EXPECT_EQ(s.request_count(), 1U);
}

TEST(fault, resets_within_a_request_and_logs_it_only_if_its_head_was_read) {
    server s;
    s.on_connection(1, fault::reset_in_request(10));
    s.on_connection(2, fault::reset_in_request(45));
    for (int i = 0; i < 2; ++i) {
        socket_client c(s.port());
        c.say("PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'b'));
        EXPECT_EQ(c.piece(), "");
        EXPECT_EQ(c.error(), ECONNRESET);
    }
    ASSERT_EQ(s.request_count(), 1U);
    const auto request = s.requests()[0];
    EXPECT_EQ(request.connection, 2);
    EXPECT_FALSE(request.complete);
    EXPECT_EQ(request.body.size(), 6U);
}

TEST(fault, stops_reading_after_the_head_so_that_an_upload_stalls) {
    server s;
    s.on_every_connection(fault::stop_reading_after_head());
    socket_client c(s.port());
    ::fcntl(c.descriptor(), F_SETFL, O_NONBLOCK);
    c.say("PUT / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n");
    ASSERT_TRUE(s.wait_for_requests(1, patience));
    const std::string mebibyte(1024 * 1024, 'b');
    std::size_t sent = 0;
    pollfd polled{c.descriptor(), POLLOUT, 0};
    while (sent < 100'000'000U && ::poll(&polled, 1, 200) == 1) {
        const auto got = ::send(c.descriptor(), mebibyte.data(), mebibyte.size(), MSG_NOSIGNAL);
        if (got > 0) sent += static_cast<std::size_t>(got);
    }
    EXPECT_LT(sent, 16'000'000U);
    EXPECT_FALSE(s.requests()[0].complete);
}

TEST(fault, answers_before_the_body_was_read) {
    server s;
    s.on_every_connection(fault::answer_after_head(reply(413, "too big")));
    socket_client c(s.port());
    c.say("PUT / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'b'));
    EXPECT_TRUE(c.rest().ends_with("too big"));
    EXPECT_EQ(c.error(), 0);
    EXPECT_FALSE(s.requests().at(0).complete);
}

}  // namespace
