// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faults/prometheus/client_fixture.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support::prometheus_client {

/// How a replica answers.
enum class Manner {
    works,
    unavailable,     ///< HTTP 503.
    unauthorized,    ///< HTTP 401.
    not_found,       ///< HTTP 404, not in the words of the API.
    hangs,           ///< Accepts the request, and says nothing.
    resets,          ///< Resets the connection instead of an answer.
    web_page,        ///< HTTP 200 with HTML.
    cut,             ///< Ends after a series, in the middle of the answer.
    bad_query,       ///< HTTP 400 in the words of the API.
    too_many,        ///< HTTP 422: a limit on samples.
    query_timed_out, ///< HTTP 503 in the words of the API: the query has taken too long.
};

/// Answers in the manner that the test has set last.
inline ScriptedServer::Script answer_as(std::shared_ptr<Manner> manner) {
    return [manner](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            std::string bytes = good;
            switch (*manner) {
            case Manner::works:
                break;
            case Manner::unavailable:
                bytes = answer("503 Service Unavailable", "Service Unavailable");
                break;
            case Manner::unauthorized:
                bytes = answer("401 Unauthorized");
                break;
            case Manner::not_found:
                bytes = answer("404 Not Found", "404 page not found");
                break;
            case Manner::hangs:
                co_await peer->wait_for_close();
                co_return;
            case Manner::resets:
                peer->reset();
                co_return;
            case Manner::web_page:
                bytes = answer("200 OK", "<html>Please log in</html>");
                break;
            case Manner::cut:
                bytes = good.substr(0, good.find(R"(]},"warnings")"));
                co_await peer->send(bytes);
                co_return;
            case Manner::bad_query:
                bytes = answer("400 Bad Request", api_error("bad_data", "parse error"));
                break;
            case Manner::too_many:
                bytes =
                    answer("422 Unprocessable Entity",
                           api_error("execution", "query processing would load too many samples"));
                break;
            case Manner::query_timed_out:
                bytes = answer("503 Service Unavailable",
                               api_error("timeout", "query timed out in expression evaluation"));
                break;
            }
            co_await peer->send(bytes);
        }
    };
}

/// A client, and the replicas that it may ask.
struct ReplicaPeers {
    explicit ReplicaPeers(std::vector<Manner> manners, prometheus::ClientConfig config = {}) {
        for (const Manner manner : manners) {
            manner_of.push_back(std::make_shared<Manner>(manner));
            servers.push_back(std::make_unique<ScriptedServer>(
                context, std::vector{answer_as(manner_of.back())}));
            if (servers.size() > 1)
                config.replicas.push_back(servers.back()->url());
        }
        config.http.url = servers.front()->url();
        client = std::make_unique<prometheus::Client>(context.get_executor(), std::move(config));
    }

    QueryPtr start(TimePoint deadline = far_deadline(), prometheus::QueryOptions options = {}) {
        return start_query(context, *client, "up", deadline, options);
    }
    QueryPtr run(TimePoint deadline = far_deadline(), prometheus::QueryOptions options = {}) {
        const QueryPtr query = start(deadline, options);
        run_until(context, [&] { return query->is_over(); });
        REQUIRE_FALSE(query->threw);
        return query;
    }
    /// Requests that a replica got.
    std::size_t requests(std::size_t replica) const { return servers[replica]->requests().size(); }
    /// Requests that all of them got.
    std::size_t requests() const {
        std::size_t all = 0;
        for (const auto& server : servers)
            all += server->requests().size();
        return all;
    }

    asio::io_context context;
    std::vector<std::shared_ptr<Manner>> manner_of;
    std::vector<std::unique_ptr<ScriptedServer>> servers;
    std::unique_ptr<prometheus::Client> client;
};

} // namespace wva_metrics::test_support::prometheus_client
