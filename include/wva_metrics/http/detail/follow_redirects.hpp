// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/redirects.hpp"
#include "wva_metrics/http/detail/run_call.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::http::detail {

/// Runs a call, and one more for each redirect that the configuration permits to follow. The body
/// of a redirect is collected, so a sink receives only that of the last answer.
template <typename Executor>
class FollowRedirects {
public:
    using EndpointPtr = std::shared_ptr<Endpoint<Executor>>;

    static asio::awaitable<Result<Response>> start(EndpointPtr endpoint, Request&& request,
                                                   TimePoint deadline, BodyOptions&& options) {
        if (endpoint->config.limits.max_redirects == 0)
            return RunCall<Executor>::start(std::make_unique<Order<Executor>>(
                std::move(endpoint), std::move(request), deadline, std::move(options)));
        return follow(std::move(endpoint), std::move(request), deadline, std::move(options));
    }

private:
    static asio::awaitable<Result<Response>> follow(EndpointPtr endpoint, Request request,
                                                    TimePoint deadline, BodyOptions options) {
        Redirects redirects(endpoint->url, endpoint->config.limits.max_redirects);
        for (;;) {
            auto order = std::make_unique<Order<Executor>>(endpoint, request, deadline, options);
            Result<Response> response = co_await RunCall<Executor>::start(std::move(order));
            if (!response)
                co_return response;
            Result<std::optional<Request>> next = redirects.next(request, *response);
            if (!next)
                co_return std::move(next).error();
            if (!*next)
                co_return response;
            request = **std::move(next);
        }
    }
};

} // namespace wva_metrics::http::detail
