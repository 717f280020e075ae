// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/fetch_pods.hpp"
#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/pod_impl.hpp"
#include "wva_metrics/backend/pod_backend.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

template <typename Executor>
BasicPodBackend<Executor>::BasicPodBackend(const Executor& executor, PodConfig config)
    : impl_(std::make_shared<detail::PodImpl<Executor>>(executor, std::move(config))) {}

template <typename Executor>
const PodConfig& BasicPodBackend<Executor>::config() const noexcept {
    return impl_->config;
}

template <typename Executor>
asio::awaitable<Result<Availability>>
BasicPodBackend<Executor>::check_availability(ModelKey model) {
    return detail::check_pods(impl_, std::move(model));
}

template <typename Executor>
asio::awaitable<std::vector<Result<OptimizerMetrics>>>
BasicPodBackend<Executor>::fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants,
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
    return detail::fetch_pods<OptimizerMetrics>(impl_, std::move(models), std::move(assemble),
                                                priority);
}

template <typename Executor>
asio::awaitable<std::vector<Result<ReplicaSamples>>>
BasicPodBackend<Executor>::fetch_replica_samples(std::vector<ModelKey> models, Priority priority) {
    const auto assemble = [impl = impl_](const detail::MetricsAssembler& assembler,
                                         const ModelKey& model, const detail::ModelReport& report,
                                         std::span<const std::size_t> targets, auto& answers) {
        Result<ReplicaSamples> samples = assembler.replicas(model, report);
        if (samples)
            impl->reports->apply(*samples, std::chrono::steady_clock::now());
        for (const std::size_t target : targets)
            answers[target] = samples;
    };
    return detail::fetch_pods<ReplicaSamples>(impl_, std::move(models), assemble, priority);
}

template <typename Executor>
asio::awaitable<Result<Diagnosis>>
BasicPodBackend<Executor>::diagnose(ModelKey model, std::vector<VariantAutoscaling> variants) {
    return detail::diagnose_pods(impl_, std::move(model), std::move(variants));
}

template <typename Executor>
Result<void> BasicPodBackend<Executor>::ingest_orca(std::string_view namespace_name,
                                                    std::string_view pod, std::string_view value,
                                                    TimePoint now, orca::OrcaHeader header) {
    return impl_->reports->ingest(namespace_name, pod, value, now, header);
}

} // namespace wva_metrics
