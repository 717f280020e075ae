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
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::prometheus {

namespace detail {

/// The HTTP client's configuration. It also knows the errors of the API that mean the query.
inline http::ClientConfig http_config(const ClientConfig& config) {
    http::ClientConfig http = config.http;
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
BasicClient<Executor>::BasicClient(const Executor& executor, ClientConfig config)
    : http_(std::make_shared<http::BasicClient<Executor>>(
          executor,
          detail::http_config(wva_metrics::detail::checked(config, "Prometheus client")))),
      impl_(std::make_shared<detail::ClientImpl<Executor>>(std::move(config), http_)) {}

template <typename Executor>
Executor BasicClient<Executor>::get_executor() const {
    return http_->get_executor();
}

template <typename Executor>
const std::string& BasicClient<Executor>::endpoint() const noexcept {
    return impl_->endpoint();
}

template <typename Executor>
asio::awaitable<Result<AnswerInfo>>
BasicClient<Executor>::query_into(detail::OwnedSink sink, std::string promql, QueryOptions options,
                                  TimePoint deadline) {
    return detail::ClientImpl<Executor>::query(impl_, std::move(promql), std::move(sink), options,
                                               deadline);
}

template <typename Executor>
asio::awaitable<Result<ServerMake>> BasicClient<Executor>::flavor(TimePoint deadline) {
    return detail::ClientImpl<Executor>::flavor(impl_, deadline);
}

} // namespace wva_metrics::prometheus
