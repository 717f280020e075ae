// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/follow_redirects.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/protection_stats.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace wva_metrics::http {

template <typename Executor>
BasicClient<Executor>::BasicClient(Executor executor, ClientConfig config)
    : endpoint_(std::make_shared<detail::Endpoint<Executor>>(executor, std::move(config))),
      hook_(executor, [weak = std::weak_ptr(endpoint_)] {
          if (const auto endpoint = weak.lock())
              endpoint->close(false);
      }) {}

template <typename Executor>
BasicClient<Executor>::~BasicClient() {
    endpoint_->close(true);
}

template <typename Executor>
asio::awaitable<Result<Response>> BasicClient<Executor>::send(Request request, TimePoint deadline) {
    return detail::FollowRedirects<Executor>::start(endpoint_, std::move(request), deadline,
                                                    detail::BodyOptions());
}

template <typename Executor>
asio::awaitable<Result<Response>> BasicClient<Executor>::send(Request request, TimePoint deadline,
                                                              BodySink sink, HeadCallback on_head) {
    detail::BodyOptions options(std::move(sink));
    options.on_head = std::move(on_head);
    return detail::FollowRedirects<Executor>::start(endpoint_, std::move(request), deadline,
                                                    std::move(options));
}

template <typename Executor>
asio::awaitable<Result<Response>> BasicClient<Executor>::stream(Request request, BodySink sink,
                                                                StreamTimeouts timeouts,
                                                                OpenedCallback on_opened) {
    const TimePoint deadline = timeouts.deadline;
    detail::BodyOptions options(std::move(sink), timeouts.idle);
    options.on_opened = std::move(on_opened);
    return detail::FollowRedirects<Executor>::start(endpoint_, std::move(request), deadline,
                                                    std::move(options));
}

template <typename Executor>
Executor BasicClient<Executor>::get_executor() const {
    return endpoint_->executor().value();
}

template <typename Executor>
std::string BasicClient<Executor>::endpoint() const {
    return endpoint_->url.origin();
}

template <typename Executor>
void BasicClient<Executor>::close_idle_connections() {
    endpoint_->pool.drop_all();
}

template <typename Executor>
std::shared_ptr<SecretMask> BasicClient<Executor>::secret_mask() const {
    return endpoint_->secrets;
}

template <typename Executor>
std::size_t BasicClient<Executor>::idle_connections() const {
    return endpoint_->pool.idle();
}

template <typename Executor>
resilience::ProtectionStats BasicClient<Executor>::protection_stats() const {
    return endpoint_->guard.stats();
}

} // namespace wva_metrics::http
