// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/kubernetes/detail/client_impl.hpp"
#include "wva_metrics/kubernetes/page.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::kubernetes::detail {

namespace asio = boost::asio;

/// Runs a list, and hides secrets in its error, and in what it says of unreadable objects: an API
/// server may echo a request. After an answer that is not a list, its connection is not used again.
template <typename T, typename Executor>
asio::awaitable<Result<Page<T>>> mask_secrets(HttpPtr<Executor> http_client,
                                              std::shared_ptr<const http::SecretMask> secrets,
                                              asio::awaitable<Result<Page<T>>> operation) {
    Result<Page<T>> result = co_await std::move(operation);
    if (result.has_value()) {
        for (UnreadableObject& object : result->unreadable.first)
            object.problem = secrets->mask(object.problem);
        co_return result;
    }
    if (result.error().is(Errc::bad_response))
        if (const auto client = http_client.lock())
            client->close_idle_connections();
    co_return secrets->mask(std::move(result).error());
}

/// Hides secrets in what an event says of an unreadable object, before `on_event` receives it.
template <typename T>
std::function<std::optional<Error>(WatchEvent<T>)>
mask_secrets(std::shared_ptr<const http::SecretMask> secrets,
             std::function<std::optional<Error>(WatchEvent<T>)> on_event) {
    return [secrets = std::move(secrets), on_event = std::move(on_event)](WatchEvent<T> event) {
        if (!event.unreadable.problem.empty())
            event.unreadable.problem = secrets->mask(event.unreadable.problem);
        return on_event(std::move(event));
    };
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
