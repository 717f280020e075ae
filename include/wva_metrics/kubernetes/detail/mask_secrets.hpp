// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/kubernetes/detail/client_impl.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace wva_metrics::kubernetes::detail {

namespace asio = boost::asio;

/// Runs a list, and hides secrets in its error: an API server may echo a request. After an answer
/// that is not a list, its connection is not used again.
template <typename T, typename Executor>
asio::awaitable<Result<T>> mask_secrets(HttpPtr<Executor> http_client,
                                        std::shared_ptr<const http::SecretMask> secrets,
                                        asio::awaitable<Result<T>> operation) {
    Result<T> result = co_await std::move(operation);
    if (result.has_value())
        co_return result;
    if (result.error().is(Errc::bad_response))
        if (const auto client = http_client.lock())
            client->close_idle_connections();
    co_return secrets->mask(std::move(result).error());
}
/// Runs a watch, and hides secrets in its error.
inline asio::awaitable<WatchEnd> mask_secrets(std::shared_ptr<const http::SecretMask> secrets,
                                              asio::awaitable<WatchEnd> operation) {
    WatchEnd end = co_await std::move(operation);
    if (end.error)
        end.error = secrets->mask(*std::move(end.error));
    co_return end;
}

} // namespace wva_metrics::kubernetes::detail
