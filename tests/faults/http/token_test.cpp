// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"
#include "support/token_rotation.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using http::Response;

TEST_CASE("a token file that was rotated is read again after a 401") {
    const TokenFile file("old");
    HttpPair pair({accept_only("new")}, {.credentials = file.credentials()});
    CHECK(pair.send_request()->status == 401);
    CHECK(pair.server.requests().size() == 1);
    file.write("new");
    CHECK(pair.send_request()->status == 200);
    CHECK(pair.send_request()->status == 200);
    CHECK(pair.server.requests().size() == 3);
}

TEST_CASE("a rotated token is used within the same call") {
    const TokenFile file("old");
    HttpPair pair({expire_token_after_first_request()}, {.credentials = file.credentials()});
    CHECK(pair.send_request()->status == 200);
    file.write("new");
    CHECK(pair.send_request()->status == 200);
    REQUIRE(pair.server.requests().size() == 3);
    CHECK(pair.server.requests()[1].find("Bearer old\r\n") != std::string::npos);
    CHECK(pair.server.requests()[2].find("Bearer new\r\n") != std::string::npos);
}

TEST_CASE("a stream uses a rotated token within the same call") {
    const TokenFile file("old");
    HttpPair pair({expire_token_after_first_request()}, {.credentials = file.credentials()});
    CHECK(pair.send_request()->status == 200);
    file.write("new");
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(received->text == "{}");
    REQUIRE(pair.server.requests().size() == 3);
    CHECK(pair.server.requests()[2].find("Bearer new\r\n") != std::string::npos);
}
