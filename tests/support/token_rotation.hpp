// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/credentials.hpp"

#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <string>
#include <utility>

namespace wva_metrics::test_support {

/// A token file that a test rotates.
class TokenFile {
public:
    explicit TokenFile(const std::string& token) { write(token); }

    void write(const std::string& token) const { std::ofstream(path_) << token; }
    http::Credentials credentials() const { return http::Credentials::bearer_file(path_); }

private:
    TemporaryDirectory directory_;
    std::string path_ = (directory_.path() / "token").string();
};

inline const std::string unauthorized_answer = http_answer("", "", "401 Unauthorized");

/// Answers requests that have this token; all others get 401.
inline ScriptedServer::Script accept_only(const std::string& token) {
    return [token](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            const std::string request = co_await peer->read_request();
            const bool accepted = request.find("Bearer " + token + "\r\n") != std::string::npos;
            // A variable, because GCC 12 destroys a conditional temporary of a co_await twice.
            const std::string answer = accepted ? http_answer("{}") : unauthorized_answer;
            co_await peer->send(answer);
        }
    };
}

/// Answers three requests on one connection, the second of them with 401: its token expired between
/// the first and the second request.
inline ScriptedServer::Script expire_token_after_first_request() {
    return [](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(http_answer("{}"));
        co_await peer->read_request();
        co_await peer->send(unauthorized_answer);
        co_await peer->read_request();
        co_await peer->send(http_answer("{}"));
    };
}

} // namespace wva_metrics::test_support
