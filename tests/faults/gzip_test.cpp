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

/// A server that answers by these bytes, and a client that takes gzip.
HttpPair answering(std::string bytes) {
    return HttpPair({answer_each_with(std::move(bytes))}, gzip_config());
}

void check_refused(const Result<Response>& response, Errc code, const std::string& why) {
    REQUIRE_FALSE(response.has_value());
    CAPTURE(response.error().message);
    CHECK(response.error().is(code));
    CHECK(response.error().message.find(why) != std::string::npos);
}

} // namespace

TEST_CASE("a compressed answer is asked for and read, and its connection used again") {
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
        const Result<Response> response = pair.ask();
        REQUIRE(response.has_value());
        CHECK(response->body == body);
    }
    CHECK(pair.server.connections() == 1);
    CHECK(pair.server.requests().front().find("\r\nAccept-Encoding: gzip\r\n") !=
          std::string::npos);
}

TEST_CASE("a compressed answer that ends with its connection is known to be complete") {
    const std::string head =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n";
    const std::string compressed = gzip("all of it");
    {
        HttpPair pair({answer_and_close(head + compressed)}, gzip_config());
        CHECK(pair.ask()->body == "all of it");
    }
    HttpPair pair({answer_and_close(head + compressed.substr(0, compressed.size() - 1))},
                  gzip_config());
    check_refused(pair.ask(), Errc::bad_response, "truncated");
}

TEST_CASE("an answer need not be compressed, and an empty one cannot be") {
    const auto [bytes, body] = GENERATE(table<std::string, std::string>({
        {http_answer("plain"), "plain"},
        {http_answer("", gzip_header), ""},
        {"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n",
         ""},
    }));
    HttpPair pair = answering(bytes);
    CHECK(pair.ask()->body == body);
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE("an answer that becomes too large is refused by the bound's name") {
    const std::string good = gzip(std::string(10'000, 'x'));
    const std::string bomb = gzip(std::string(std::size_t{9} << 20, 'x'));
    REQUIRE(bomb.size() < 10'000);
    HttpPair pair({answer_each_with(http_answer(good, gzip_header))}, gzip_config());
    CHECK(pair.ask()->body.size() == 10'000);
    HttpPair bombed({answer_each_with(http_answer(bomb, gzip_header))}, gzip_config());
    check_refused(bombed.ask(), Errc::too_large,
                  "decompressed, exceeds 10000 (limits.max_body_bytes)");
    CHECK(bombed.client->idle_connections() == 0);
    // Nor is more received than that.
    HttpPair large({answer_each_with(http_answer(std::string(10'001, 'x'), gzip_header))},
                   gzip_config());
    check_refused(large.ask(), Errc::too_large, "10000 (limits.max_body_bytes)");
}

TEST_CASE("an answer that is compressed in another way than asked for is refused") {
    const std::string once = gzip("text");
    const auto [bytes, why] = GENERATE_COPY(table<std::string, std::string>({
        {http_answer(once, "Content-Encoding: br\r\n"), "did not allow"},
        {http_answer(once, "Content-Encoding: deflate\r\n"), "did not allow"},
        {http_answer(gzip(once), "Content-Encoding: gzip, gzip\r\n"), "did not allow"},
        {http_answer(gzip(once), gzip_header + gzip_header), "twice"},
        {http_answer(once, gzip_header + "Content-Encoding: br\r\n"), "did not allow"},
        {http_answer("not compressed", gzip_header), "incorrect header check"},
        {http_answer(once.substr(0, once.size() - 4), gzip_header), "truncated"},
        {http_answer(once + "more", gzip_header), "something follows"},
    }));
    CAPTURE(bytes);
    HttpPair pair = answering(bytes);
    const Result<Response> response = pair.ask();
    check_refused(response, Errc::bad_response, why);
    CHECK(response.error().endpoint == pair.server.url());
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("a stream asks for no compression and takes none") {
    HttpPair pair({answer_each_with(http_answer(gzip("text"), gzip_header))}, gzip_config());
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    check_refused(response, Errc::bad_response, "did not allow");
    CHECK(received->text.empty());
    CHECK(pair.server.requests().front().find("\r\nAccept-Encoding: identity\r\n") !=
          std::string::npos);
}
