// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

inline const http::Request root_request = http::Request::get("/");

/// A client and its scripted server, on one thread.
struct HttpPair {
    explicit HttpPair(std::vector<ScriptedServer::Script> scripts, http::ClientConfig config = {})
        : server(context, std::move(scripts)) {
        config.url = server.url() + config.url;
        client = std::make_unique<http::Client>(context.get_executor(), std::move(config));
    }

    Result<http::Response> send_request(http::Request request = root_request) {
        return test_support::send_request(context, *client, std::move(request));
    }

    asio::io_context context;
    ScriptedServer server;
    std::unique_ptr<http::Client> client;
};

/// Small limits, so that tests of the limits are quick.
inline http::ClientConfig tight_config() {
    return {
        .timeouts = {.attempt = std::chrono::seconds(30)},
        .limits = {.max_header_bytes = 1024, .max_buffer_bytes = 4096, .max_body_bytes = 10'000}};
}

} // namespace wva_metrics::test_support
