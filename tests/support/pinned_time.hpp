// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http_exchange.hpp"
#include "running_context.hpp"
#include "scripted_server.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace wva_metrics::test_support {

/// A proxy for a Prometheus that evaluates every query at one time, so that the answers to
/// successive queries are comparable.
class PinnedTime {
public:
    /// `time`: Unix seconds.
    PinnedTime(std::uint16_t prometheus_port, double time)
        : server_(context_.context(), {pass_on(prometheus_port, time)}) {}

    std::string url() const { return server_.url(); }

private:
    static ScriptedServer::Script pass_on(std::uint16_t port, double time) {
        const std::string moment = "&time=" + std::to_string(time);
        return [port, moment](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            for (;;) {
                const std::string request = co_await peer->read_request();
                const HttpAnswer answer =
                    exchange(port, "POST", "/api/v1/query",
                             request.substr(request.find("\r\n\r\n") + 4) + moment);
                const std::string status = std::to_string(answer.status) + " Passed On";
                const std::string bytes = http_answer(answer.body, "", status);
                co_await peer->send(bytes);
            }
        };
    }

    RunningContext context_;
    ScriptedServer server_;
};

} // namespace wva_metrics::test_support
