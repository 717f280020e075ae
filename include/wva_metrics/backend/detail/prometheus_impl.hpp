// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/prometheus/client.hpp"

#include <atomic>
#include <utility>

namespace wva_metrics::detail {

/// The state shared by the copies of a Prometheus backend and their pending calls. Its constructor
/// throws if the configuration is invalid.
template <typename Executor>
struct PrometheusImpl {
    PrometheusImpl(const Executor& executor, PrometheusConfig configuration)
        : config(checked(std::move(configuration), "Prometheus backend")),
          client(executor, config.client) {}

    const PrometheusConfig config;
    prometheus::BasicClient<Executor> client;
    /// The namespaces hold many more models than are requested, so queries must name the models.
    /// Sticky: another probe would cost as much as the first one.
    std::atomic<bool> select_by_model{false};
    ChunkSizeLimits size_limits;
};

} // namespace wva_metrics::detail
