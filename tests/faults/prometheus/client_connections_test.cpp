// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;

namespace {

/// Asks twice: the first answer is `first`, the second a good one. Returns the connections.
std::size_t connections_after(const std::string& first, prometheus::ClientConfig config = {}) {
    Peers peers(answer_in_turn({first, good}), std::move(config));
    const QueryPtr query = peers.run();
    CHECK(query->result->has_error());
    CHECK(query->series == 0);
    CHECK(peers.run()->result->has_value());
    return peers.server.connections();
}

const std::string chunked_json =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

TEST_CASE("a connection is closed after an answer that is not one of the API") {
    for (const std::string& first : {
             answer("200 OK", "<html>log in</html>", "Content-Type: text/html\r\n"),
             answer("200 OK", "no JSON"),
             answer("200 OK", R"({"status":"success","data":{"resultType":"vector","res)"),
             answer("200 OK", R"({"status":"success"})"),
             answer("200 OK", R"({"status":"success","data":{"resultType":"map","result":[]}})"),
             answer("200 OK"),
             std::string("HTTP/1.1 204 No Content\r\n\r\n"),
             std::string("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nleft"),
             chunked_json + "0\r\n\r\n",
         }) {
        CAPTURE(first);
        CHECK(connections_after(first) == 2);
    }
}

TEST_CASE("a connection is closed after an answer that is too large or not HTTP") {
    prometheus::ClientConfig tight;
    tight.http.limits.max_body_bytes = 1000;
    tight.http.limits.max_header_bytes = 1024;
    tight.http.limits.max_buffer_bytes = 1024;
    std::string interim;
    for (std::size_t i = 0; i <= tight.http.limits.max_informational; ++i)
        interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
    for (const std::string& first : {
             std::string("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"),
             chunked_json + "400\r\n" + std::string(1024, ' ') + "\r\n",
             chunked_json + "1;" + std::string(1024, 'x'),
             chunked_json + "0\r\nX: " + std::string(1024, 'x'),
             interim + good,
             "HTTP/1.1 101 Switching Protocols\r\n\r\n" + good,
             answer("200 OK", "x", "Content-Encoding: gzip\r\n"),
             answer("200 OK", "x", "Content-Encoding: br\r\n"),
             std::string("no HTTP at all\r\n\r\n"),
         }) {
        CAPTURE(first.substr(0, 80));
        CHECK(connections_after(first, tight) == 2);
    }
}

TEST_CASE("bytes after an answer are not taken for the next one") {
    Peers peers(answer_in_turn({good + answer("200 OK", "stale"), good}));
    CHECK(peers.run()->result->has_value());
    CHECK(peers.run()->result->has_value());
    CHECK(peers.server.connections() == 2);
}

TEST_CASE("a connection is kept after an error of the API") {
    for (const char* status : {"400 Bad Request", "422 Unprocessable Entity", "200 OK"})
        CHECK(connections_after(answer(status, api_error("bad_data", "parse error"))) == 1);
    CHECK(connections_after(answer("404 Not Found", "404 page not found")) == 1);
}
