// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/detail/random_source.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/api_operation.hpp"
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// The part of a client that its pending operations share and that outlives the client. Its
/// constructor throws if the configuration is invalid.
template <typename Executor>
class ClientImpl {
public:
    ClientImpl(const Executor& executor, ClientConfig configuration)
        : config(wva_metrics::detail::checked(std::move(configuration), "Kubernetes client")),
          slots(std::make_shared<WatchSlots>(config.max_watches)),
          endpoint(http::parse_url(config.http.url)->origin()), executor_(executor),
          hook_(executor, [this] {
              std::optional<Executor> dropped;
              const std::lock_guard lock(mutex_);
              dropped.swap(executor_);
          }) {}

    /// Empty after the execution context was destroyed.
    std::optional<Executor> executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }

    Error destroyed() const {
        return Error(Errc::aborted, "the Kubernetes client was destroyed", endpoint);
    }

    /// Puts the failed operation in front of an error's text.
    Error explain(Error error, const ApiOperation& operation) const {
        error.message = "cannot " + operation.describe() + ": " +
                        operation.with_own_names(std::move(error.message));
        error.endpoint = endpoint;
        return error;
    }

    const ClientConfig config;
    const std::shared_ptr<WatchSlots> slots;
    const std::string endpoint;
    wva_metrics::detail::RandomSource random;

private:
    mutable std::mutex mutex_;
    std::optional<Executor> executor_;
    wva_metrics::detail::ContextHook hook_;
};

/// The HTTP client of an operation. Weak, so that pending operations end when the Kubernetes client
/// is destroyed.
template <typename Executor>
using HttpPtr = std::weak_ptr<http::BasicClient<Executor>>;

} // namespace wva_metrics::kubernetes::detail
