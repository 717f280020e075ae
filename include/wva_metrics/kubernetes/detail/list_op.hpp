// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/kubernetes/detail/api_error.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/client_impl.hpp"
#include "wva_metrics/kubernetes/detail/read_page.hpp"
#include "wva_metrics/kubernetes/page.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

namespace asio = boost::asio;

/// Requests one page of a list. Does not use the client itself, which may be destroyed meanwhile.
template <typename T, typename Executor>
asio::awaitable<Result<Page<T>>>
list_page(HttpPtr<Executor> http, std::shared_ptr<ClientImpl<Executor>> impl, ApiTarget target,
          std::string continue_token, std::size_t page_size) {
    if (std::optional<Error> problem = target.problem())
        co_return *std::move(problem);
    const std::string operation = "list " + target.describe();
    asio::awaitable<Result<http::Response>> sending;
    if (const auto client = http.lock())
        sending = client->send(http::Request::get(target.list_path(continue_token, page_size)),
                               wva_metrics::detail::saturating_add(std::chrono::steady_clock::now(),
                                                                   impl->config.page_timeout));
    else
        co_return impl->destroyed();
    Result<http::Response> response = co_await std::move(sending);
    if (response.has_error()) {
        Error error = impl->explain(std::move(response).error(), operation);
        if (error.is(Errc::too_large))
            error.message += "; the limit for the body is max_page_bytes";
        co_return error;
    }
    if (response->status / 100 != 2)
        co_return to_error(*response, operation, impl->endpoint);
    Result<Page<T>> page = read_page<T>(response->body);
    if (page.has_value())
        co_return page;
    Error error = impl->explain(std::move(page).error(), operation);
    error.http_status = response->status;
    co_return error;
}

} // namespace wva_metrics::kubernetes::detail
