// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/client.hpp"

#include <atomic>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// The state shared by the copies of a Prometheus backend and their pending calls.
template <typename Executor>
struct PrometheusImpl {
    PrometheusImpl(const Executor& executor, PrometheusConfig configuration)
        : config(std::move(configuration)), client(executor, config.client),
          problems(join_problems(validate(config))) {}

    Error invalid_config() const {
        return Error(Errc::invalid_config,
                     "invalid configuration of the Prometheus backend: " + problems);
    }

    const PrometheusConfig config;
    prometheus::BasicClient<Executor> client;
    /// Empty if the configuration is valid.
    const std::string problems;
    /// The namespaces hold many more models than are requested, so queries must name the models.
    /// Sticky: another probe would cost as much as the first one.
    std::atomic<bool> select_by_model{false};
    ChunkSizeLimits size_limits;
};

} // namespace wva_metrics::detail
