// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/web_page.hpp"
#include "wva_metrics/kubernetes/detail/api_error.hpp"
#include "wva_metrics/kubernetes/detail/api_operation.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/client_impl.hpp"
#include "wva_metrics/kubernetes/detail/page_reader.hpp"
#include "wva_metrics/kubernetes/page.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
    const ApiOperation operation{"list", target, "page_timeout"};
    const auto page = std::make_shared<PageReader<T>>(PageLimits(impl->config, page_size));
    asio::awaitable<Result<http::Response>> sending;
    if (const auto client = http.lock())
        sending = client->send(http::Request::get(target.list_path(continue_token, page_size)),
                               wva_metrics::detail::saturating_add(std::chrono::steady_clock::now(),
                                                                   impl->config.page_timeout),
                               [page](std::string_view piece) { return page->write(piece); });
    else
        co_return impl->destroyed();
    Result<http::Response> response = co_await std::move(sending);
    if (response.has_error())
        co_return impl->explain(std::move(response).error(), operation);
    if (response->status / 100 != 2)
        co_return to_error(*response, operation, impl->endpoint);
    Result<Page<T>> read = page->finish();
    if (read.has_value())
        co_return read;
    Error error = impl->explain(std::move(read).error(), operation);
    if (http::is_web_page(response->content_type, page->beginning())) {
        // Also one that exceeds a limit: no page of another size would be a list.
        error.code = Errc::bad_response;
        error.message += "; " + http::describe_web_page(page->beginning());
    }
    error.http_status = response->status;
    co_return error;
}

} // namespace wva_metrics::kubernetes::detail
