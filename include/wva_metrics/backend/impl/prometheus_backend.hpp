// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/check_availability.hpp"
#include "wva_metrics/backend/detail/diagnose.hpp"
#include "wva_metrics/backend/detail/fetch_batch.hpp"
#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/prometheus/replica_stats.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics {

template <typename Executor>
BasicPrometheusBackend<Executor>::BasicPrometheusBackend(const Executor& executor,
                                                         PrometheusConfig config)
    : impl_(std::make_shared<detail::PrometheusImpl<Executor>>(executor, std::move(config))) {}

template <typename Executor>
const PrometheusConfig& BasicPrometheusBackend<Executor>::config() const noexcept {
    return impl_->config;
}

template <typename Executor>
std::vector<prometheus::ReplicaStats> BasicPrometheusBackend<Executor>::replica_stats() const {
    return impl_->client.replica_stats();
}

template <typename Executor>
asio::awaitable<Result<Availability>>
BasicPrometheusBackend<Executor>::check_availability(ModelKey model) {
    return detail::check_availability(impl_, std::move(model));
}

template <typename Executor>
asio::awaitable<std::vector<Result<OptimizerMetrics>>>
BasicPrometheusBackend<Executor>::fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants,
                                                          Priority priority) {
    std::vector<ModelKey> models;
    models.reserve(variants.size());
    for (const VariantAutoscaling& variant : variants)
        models.push_back(variant.model());
    impl_->workloads.remember(variants, std::chrono::steady_clock::now());
    auto assemble = [variants = std::move(variants),
                     impl = impl_](const detail::MetricsAssembler& assembler, const ModelKey& model,
                                   const detail::ModelReport& report,
                                   std::span<const std::size_t> targets, auto& answers) {
        std::vector<VariantAutoscaling> of_model;
        for (const std::size_t target : targets)
            of_model.push_back(variants[target]);
        std::vector<Result<OptimizerMetrics>> assembled =
            assembler.optimizer(model, report, of_model, impl->workloads.others(model, of_model));
        for (std::size_t i = 0; i < targets.size(); ++i)
            answers[targets[i]] = std::move(assembled[i]);
    };
    return detail::fetch_batch<OptimizerMetrics>(impl_, std::move(models), priority,
                                                 std::move(assemble));
}

template <typename Executor>
asio::awaitable<std::vector<Result<ReplicaSamples>>>
BasicPrometheusBackend<Executor>::fetch_replica_samples(std::vector<ModelKey> models,
                                                        Priority priority) {
    const auto assemble = [](const detail::MetricsAssembler& assembler, const ModelKey& model,
                             const detail::ModelReport& report,
                             std::span<const std::size_t> targets, auto& answers) {
        for (const std::size_t target : targets)
            answers[target] = assembler.replicas(model, report);
    };
    return detail::fetch_batch<ReplicaSamples>(impl_, std::move(models), priority, assemble);
}

template <typename Executor>
asio::awaitable<Result<Diagnosis>>
BasicPrometheusBackend<Executor>::diagnose(ModelKey model,
                                           std::vector<VariantAutoscaling> variants) {
    return detail::diagnose(impl_, std::move(model), std::move(variants));
}

template <typename Executor>
void BasicPrometheusBackend<Executor>::add_protection_listener(
    std::weak_ptr<const resilience::ProtectionListener> listener) const {
    impl_->protection_listeners->add(std::move(listener));
}

} // namespace wva_metrics
