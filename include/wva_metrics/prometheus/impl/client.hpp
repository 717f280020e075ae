// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/client.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/detail/client_impl.hpp"
#include "wva_metrics/prometheus/detail/owned_sink.hpp"
#include "wva_metrics/prometheus/detail/read_api_error.hpp"
#include "wva_metrics/prometheus/detail/replicas.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/prometheus/replica_stats.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus {

namespace detail {

/// The configuration of the HTTP client for one of the servers. It also knows the errors of the API
/// that mean the query.
inline http::ClientConfig http_config(const ClientConfig& config, const std::string& url) {
    http::ClientConfig http = config.http;
    http.url = url;
    // Another replica is asked instead.
    if (!config.replicas.empty())
        http.protection.retry.attempts = 1;
    http.is_about_request = [own = config.http.is_about_request](const http::Response& response) {
        if (own && own(response))
            return true;
        const std::optional<ApiError> error = read_api_error(response.body);
        return error && is_about_query(response.status, *error);
    };
    return http;
}

} // namespace detail

template <typename Executor>
BasicClient<Executor>::BasicClient(const Executor& executor, ClientConfig config) {
    config = wva_metrics::detail::checked(std::move(config), "Prometheus client");
    std::vector<std::shared_ptr<detail::ClientImpl<Executor>>> servers;
    const auto add = [&](const std::string& url) {
        http_.push_back(std::make_shared<http::BasicClient<Executor>>(
            executor, detail::http_config(config, url)));
        servers.push_back(std::make_shared<detail::ClientImpl<Executor>>(config, http_.back()));
    };
    add(config.http.url);
    for (const std::string& url : config.replicas)
        add(url);
    replicas_ = std::make_shared<detail::Replicas<Executor>>(config, std::move(servers));
}

template <typename Executor>
Executor BasicClient<Executor>::get_executor() const {
    return http_.front()->get_executor();
}

template <typename Executor>
const std::string& BasicClient<Executor>::endpoint() const noexcept {
    return replicas_->endpoint();
}

template <typename Executor>
std::size_t BasicClient<Executor>::current_replica() const {
    return replicas_->health().current();
}

template <typename Executor>
std::vector<ReplicaStats> BasicClient<Executor>::replica_stats() const {
    std::vector<ReplicaStats> stats = replicas_->health().stats();
    for (std::size_t i = 0; i < stats.size(); ++i)
        stats[i].protection = http_[i]->protection_stats();
    return stats;
}

template <typename Executor>
asio::awaitable<Result<AnswerInfo>>
BasicClient<Executor>::query_into(detail::OwnedSink sink, std::string promql, QueryOptions options,
                                  TimePoint deadline) {
    return detail::Replicas<Executor>::query(replicas_, std::move(promql), std::move(sink), options,
                                             deadline);
}

template <typename Executor>
asio::awaitable<Result<void>> BasicClient<Executor>::prefer_replica(TimePoint deadline) {
    return detail::Replicas<Executor>::prefer(replicas_, deadline);
}

template <typename Executor>
asio::awaitable<Result<ServerMake>> BasicClient<Executor>::flavor(TimePoint deadline) {
    return detail::Replicas<Executor>::flavor(replicas_, deadline);
}

} // namespace wva_metrics::prometheus
