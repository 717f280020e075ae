// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/scripted_server.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace wva_metrics::test_support {

/// What a server sends instead of an answer, and then does with the connection.
struct Misbehaviour {
    enum class End { keep, close, reset };

    std::string bytes;
    End end = End::keep;
    /// Sent after the bytes, again and again.
    std::string without_end{};
    /// The time between two of these.
    std::chrono::milliseconds pause{};
    /// Makes what is sent from the answer of a server that behaves, in place of `bytes`.
    std::function<std::string(std::string)> change{};
};

/// Sends this to a client, and returns whether the connection goes on.
inline asio::awaitable<bool> carry_out(Misbehaviour how, ScriptedServer::PeerPtr peer) {
    co_await peer->send(how.bytes);
    while (!how.without_end.empty() && how.pause > how.pause.zero()) {
        co_await peer->send(how.without_end);
        co_await peer->wait(how.pause);
    }
    if (!how.without_end.empty())
        co_await peer->send_without_end(how.without_end);
    if (how.end == Misbehaviour::End::reset)
        peer->reset();
    co_return how.end == Misbehaviour::End::keep;
}

} // namespace wva_metrics::test_support
