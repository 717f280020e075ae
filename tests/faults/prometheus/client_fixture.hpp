// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/client.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support::prometheus_client {

inline const std::string one_series =
    R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":"p"},"value":[1700000000,"42"]}]},)"
    R"("warnings":["w"],"infos":["i"]})";

/// A query and its outcome.
struct PendingQuery {
    std::optional<Result<prometheus::AnswerInfo>> result;
    bool threw = false;
    std::size_t series = 0;
    boost::asio::cancellation_signal cancel;

    bool is_over() const { return result.has_value() || threw; }
    Error error() const { return result->error(); }
};
using QueryPtr = std::shared_ptr<PendingQuery>;

/// Answers each request, of whatever connection, with the next of these answers, and all others
/// with the last.
inline ScriptedServer::Script answer_in_turn(std::vector<std::string> answers) {
    const auto next = std::make_shared<std::size_t>(0);
    return [next,
            answers = std::move(answers)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            const std::string bytes = answers[std::min((*next)++, answers.size() - 1)];
            co_await peer->send(bytes);
        }
    };
}

/// Starts a query.
inline QueryPtr start_query(asio::io_context& context, prometheus::Client& client,
                            std::string promql, TimePoint deadline,
                            prometheus::QueryOptions options) {
    auto query = std::make_shared<PendingQuery>();
    const auto sink = [query](const prometheus::SeriesView&) { ++query->series; };
    boost::asio::co_spawn(context, client.query(std::move(promql), sink, options, deadline),
                          boost::asio::bind_cancellation_slot(
                              query->cancel.slot(), [query](std::exception_ptr thrown,
                                                            Result<prometheus::AnswerInfo> result) {
                                  query->threw = thrown != nullptr;
                                  if (!thrown)
                                      query->result = std::move(result);
                              }));
    return query;
}

/// A client, and the scripted server that it queries.
struct Peers {
    explicit Peers(ScriptedServer::Script script, prometheus::ClientConfig config = {})
        : server(context, {std::move(script)}) {
        config.http.url = server.url() + config.http.url;
        client = std::make_unique<prometheus::Client>(context.get_executor(), std::move(config));
    }

    QueryPtr start(std::string promql = "up", TimePoint deadline = far_deadline(),
                   prometheus::QueryOptions options = {}) {
        return start_query(context, *client, std::move(promql), deadline, options);
    }
    QueryPtr run(std::string promql = "up", TimePoint deadline = far_deadline(),
                 prometheus::QueryOptions options = {}) {
        QueryPtr query = start(std::move(promql), deadline, options);
        run_until(context, [&] { return query->is_over(); });
        REQUIRE_FALSE(query->threw);
        return query;
    }
    const std::vector<std::string>& requests() const { return server.requests(); }

    asio::io_context context;
    ScriptedServer server;
    std::unique_ptr<prometheus::Client> client;
};

inline std::string answer(const std::string& status, const std::string& body = "",
                          const std::string& headers = "") {
    return http_answer(body, headers, status);
}

inline std::string api_error(const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
}

inline const std::string good = answer("200 OK", one_series);

} // namespace wva_metrics::test_support::prometheus_client
