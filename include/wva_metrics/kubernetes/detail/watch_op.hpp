// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/kubernetes/detail/api_error.hpp"
#include "wva_metrics/kubernetes/detail/api_operation.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/client_impl.hpp"
#include "wva_metrics/kubernetes/detail/watch_session.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

namespace asio = boost::asio;

/// Runs one watch. Does not use the client itself, which may be destroyed meanwhile.
template <typename T, typename Executor>
asio::awaitable<WatchEnd>
run_watch(HttpPtr<Executor> http, std::shared_ptr<ClientImpl<Executor>> impl, ApiTarget target,
          std::string resource_version, typename WatchSession<T>::OnEvent on_event,
          std::function<void()> on_opened) {
    const TimePoint start = std::chrono::steady_clock::now();
    WatchEnd end;
    end.error = target.problem();
    if (end.error)
        co_return end;
    const ApiOperation operation{"watch", target, "watch_timeout"};
    const auto session = std::make_shared<WatchSession<T>>(
        impl->config, operation, std::move(on_event), std::move(on_opened));
    const Duration length =
        impl->random.between(impl->config.watch_timeout, 2 * impl->config.watch_timeout);
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(length).count();
    http::StreamTimeouts timeouts;
    timeouts.idle = impl->config.idle_timeout;
    // Longer than the requested length, so that the server can end the watch regularly.
    timeouts.deadline = start + length + impl->config.page_timeout;
    asio::awaitable<Result<http::Response>> streaming;
    if (const auto client = http.lock()) {
        streaming = client->stream(
            http::Request::get(target.watch_path(resource_version, seconds)),
            [session](std::string_view piece) { return session->write(piece); }, timeouts,
            [session] { session->open(); });
    } else {
        end.error = impl->destroyed();
        co_return end;
    }
    Result<http::Response> response = co_await std::move(streaming);
    end.lasted = std::chrono::steady_clock::now() - start;
    end.was_opened = session->was_opened();
    if (session->error()) {
        end.error = session->error();
        end.error->endpoint = impl->endpoint;
    } else if (response.has_error()) {
        end.error = impl->explain(std::move(response).error(), operation);
    } else if (response->status / 100 != 2) {
        end.error = to_error(*response, operation, impl->endpoint);
    }
    co_return end;
}

} // namespace wva_metrics::kubernetes::detail
