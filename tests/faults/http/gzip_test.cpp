// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/gzip.hpp"

#include "support/gzip_bytes.hpp"
#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using http::ClientConfig;
using http::Response;

namespace {

const std::string gzip_header = "Content-Encoding: gzip\r\n";

ClientConfig gzip_config() {
    ClientConfig config = tight_config();
    config.decompressor = http::make_gzip_decompressor();
    return config;
}

/// A server that answers with these bytes, and a client that accepts gzip.
HttpPair answering(std::string bytes) {
    return HttpPair({answer_each_with(std::move(bytes))}, gzip_config());
}

void check_rejected(const Result<Response>& response, Errc code, const std::string& reason) {
    REQUIRE_FALSE(response.has_value());
    CAPTURE(response.error().message);
    CHECK(response.error().is(code));
    CHECK(response.error().message.find(reason) != std::string::npos);
}

} // namespace

TEST_CASE("compression is offered, a compressed answer is read, and its connection used again") {
    const std::string body(5'000, 'x');
    const std::string compressed = gzip(body);
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Encoding: GZip\r\n";
    const std::string bytes =
        GENERATE_COPY(as<std::string>{}, http_answer(compressed, gzip_header),
                      http_answer(compressed, gzip_header, "503 Busy"),
                      http_answer(compressed, "Content-Encoding: identity\r\n" + gzip_header),
                      head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(compressed.substr(0, 5)) +
                          chunk(compressed.substr(5)) + last_chunk);
    HttpPair pair = answering(bytes);
    for (int i = 0; i < 2; ++i) {
        const Result<Response> response = pair.send_request();
        REQUIRE(response.has_value());
        CHECK(response->body == body);
    }
    CHECK(pair.server.connections() == 1);
    CHECK(pair.server.requests().front().find("\r\nAccept-Encoding: gzip\r\n") !=
          std::string::npos);
}

TEST_CASE("a compressed answer that ends with its connection is complete") {
    const std::string head =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n";
    const std::string compressed = gzip("all of it");
    {
        HttpPair pair({answer_and_close(head + compressed)}, gzip_config());
        CHECK(pair.send_request()->body == "all of it");
    }
    HttpPair pair({answer_and_close(head + compressed.substr(0, compressed.size() - 1))},
                  gzip_config());
    check_rejected(pair.send_request(), Errc::bad_response, "truncated");
}

TEST_CASE("an answer may be uncompressed, and an empty one is not decompressed") {
    const auto [bytes, body] = GENERATE(table<std::string, std::string>({
        {http_answer("plain"), "plain"},
        {http_answer("", gzip_header), ""},
        {"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n",
         ""},
    }));
    HttpPair pair = answering(bytes);
    CHECK(pair.send_request()->body == body);
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE(
    "an answer that is too large when decompressed is rejected, and the error names the limit") {
    const std::string good = gzip(std::string(10'000, 'x'));
    const std::string bomb = gzip(std::string(std::size_t{9} << 20, 'x'));
    REQUIRE(bomb.size() < 10'000);
    HttpPair pair({answer_each_with(http_answer(good, gzip_header))}, gzip_config());
    CHECK(pair.send_request()->body.size() == 10'000);
    HttpPair bombed({answer_each_with(http_answer(bomb, gzip_header))}, gzip_config());
    check_rejected(bombed.send_request(), Errc::too_large,
                   "decompressed, exceeds 10000 (limits.max_body_bytes)");
    CHECK(bombed.client->idle_connections() == 0);
    // A compressed body has the same limit.
    HttpPair large({answer_each_with(http_answer(std::string(10'001, 'x'), gzip_header))},
                   gzip_config());
    check_rejected(large.send_request(), Errc::too_large, "10000 (limits.max_body_bytes)");
}

TEST_CASE("an answer that is compressed in a way that was not offered is rejected") {
    const std::string once = gzip("text");
    const auto [bytes, reason] = GENERATE_COPY(table<std::string, std::string>({
        {http_answer(once, "Content-Encoding: br\r\n"), "did not allow"},
        {http_answer(once, "Content-Encoding: deflate\r\n"), "did not allow"},
        {http_answer(gzip(once), "Content-Encoding: gzip, gzip\r\n"), "did not allow"},
        {http_answer(gzip(once), gzip_header + gzip_header), "twice"},
        {http_answer(once, gzip_header + "Content-Encoding: br\r\n"), "did not allow"},
        {http_answer("not compressed", gzip_header), "incorrect header check"},
        {http_answer(once.substr(0, once.size() - 4), gzip_header), "truncated"},
        {http_answer(once + "more", gzip_header), "other bytes follow"},
    }));
    CAPTURE(bytes);
    HttpPair pair = answering(bytes);
    const Result<Response> response = pair.send_request();
    check_rejected(response, Errc::bad_response, reason);
    CHECK(response.error().endpoint == pair.server.url());
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("a stream offers no compression and rejects a compressed answer") {
    HttpPair pair({answer_each_with(http_answer(gzip("text"), gzip_header))}, gzip_config());
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    check_rejected(response, Errc::bad_response, "did not allow");
    CHECK(received->text.empty());
    CHECK(pair.server.requests().front().find("\r\nAccept-Encoding: identity\r\n") !=
          std::string::npos);
}

TEST_CASE("a compressed body is delivered in one piece when it is complete") {
    const std::string body(9'000, 'x');
    HttpPair pair = answering(http_answer(gzip(body), gzip_header));
    const auto received = std::make_shared<Received>();
    const auto deliver = [&] {
        return finish_call(pair.context,
                           start_call(pair.context, pair.client->send(root_request, far_deadline(),
                                                                      keep_in(received))));
    };
    const Result<Response> response = deliver();
    REQUIRE(response.has_value());
    CHECK(response->body.empty());
    CHECK(received->text == body);
    CHECK(received->piece_sizes.size() == 1);
    CHECK(deliver().has_value());
    CHECK(pair.server.connections() == 1);
    CHECK(pair.server.requests().front().find("\r\nAccept-Encoding: gzip\r\n") !=
          std::string::npos);

    const std::string one_byte_more(tight_config().limits.max_body_bytes + 1, 'x');
    HttpPair large = answering(http_answer(gzip(one_byte_more), gzip_header));
    const auto nothing = std::make_shared<Received>();
    check_rejected(
        finish_call(large.context,
                    start_call(large.context,
                               large.client->send(root_request, far_deadline(), keep_in(nothing)))),
        Errc::too_large, "decompressed");
    CHECK(nothing->text.empty());
}
