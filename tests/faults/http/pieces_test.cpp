// SPDX-License-Identifier: Apache-2.0
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/protections.hpp"
#include "support/scripted_transport.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("an answer that arrives byte by byte is read, also if its chunked body is empty") {
    for (const std::string& text :
         {chunked_head() + last_chunk, chunked_head("503 Busy") + last_chunk,
          chunked_head() + "0;a=b\r\nX: y\r\n\r\n", chunked_head() + chunk("{}") + last_chunk,
          "HTTP/1.1 100 Continue\r\n\r\n" + ok_answer}) {
        CAPTURE(text);
        const auto transport = std::make_shared<ScriptedTransport>();
        transport->largest_read = 1;
        HttpPair pair({answer_each_with(text)},
                      {.transport = transport, .protection = unprotected});
        const std::string body = text.find("{}") == std::string::npos ? "" : "{}";
        const int status = text.find("503") == std::string::npos ? 200 : 503;

        const auto response = pair.send_request();
        REQUIRE(response.has_value());
        CHECK(response->status == status);
        CHECK(response->body == body);

        const auto received = std::make_shared<Received>();
        const auto delivered = finish_call(
            pair.context, start_call(pair.context, pair.client->send(root_request, far_deadline(),
                                                                     keep_in(received))));
        REQUIRE(delivered.has_value());
        CHECK(received->text == body);

        // As a watch of Kubernetes that ends without an event.
        const auto streamed =
            finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
        REQUIRE(streamed.has_value());
        CHECK(received->text == body + body);
        CHECK(pair.server.connections() == 1);
    }
}
