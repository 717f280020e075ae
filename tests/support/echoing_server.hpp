// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/scripted_server.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace wva_metrics::test_support {

/// A text on one line, as it can stand in a JSON string.
inline std::string on_one_line(std::string text) {
    for (char& c : text)
        if (c == '\r' || c == '\n' || c == '"' || c == '\\')
            c = ' ';
    return text;
}

/// Answers each request with what `echo` makes of it.
inline ScriptedServer::Script echo_each(std::function<std::string(const std::string&)> echo) {
    return [echo = std::move(echo)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            const std::string request = co_await peer->read_request();
            const std::string answer = echo(on_one_line(request));
            co_await peer->send(answer);
        }
    };
}

} // namespace wva_metrics::test_support
