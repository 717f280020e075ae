// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/pod_knowledge.hpp"
#include "wva_metrics/backend/detail/pod_readings.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/deployment_index.hpp"
#include "wva_metrics/metrics.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Everything that was learnt in one batch.
struct BatchFindings {
    std::map<Signal, SignalRows> signals;
    PodKnowledge pods;
    /// What Prometheus said beside its answers, by model.
    std::map<std::size_t, std::set<std::string>> warnings;
};

/// Puts what was found for one batch together into metrics. Pure: everything is given to it.
class Assembler {
public:
    Assembler(const PrometheusConfig& config, const promql::QueryPlan& plan,
              const BatchFindings& found)
        : config_(config), plan_(plan), found_(found) {
        for (const Signal signal : all_signals)
            for (const std::string& metric : config.engine.metrics(signal))
                metrics_[signal].emplace_back(metric);
    }

    /// The pods of one of the plan's models. An error only where neither signal was answered.
    Result<ReplicaSamples> replicas(std::size_t model) const {
        const Error* kv_failure = failure(Signal::kv_cache_usage, model);
        const Error* queue_failure = failure(Signal::queue_length, model);
        if (kv_failure != nullptr && queue_failure != nullptr)
            return *kv_failure;

        ReplicaSamples samples;
        samples.model = plan_.models()[model];
        add_warnings(model, samples);
        add_failures({kv_failure, queue_failure}, samples);

        std::map<std::string, ReplicaSample> pods;
        fill(model, Signal::kv_cache_usage, AcrossEngines::highest, &ReplicaSample::kv_cache_usage,
             pods);
        fill(model, Signal::queue_length, AcrossEngines::sum, &ReplicaSample::queue_length, pods);
        if (pods.erase(std::string()) > 0)
            samples.warnings.push_back("some series of model '" + samples.model.model_id +
                                       "' have no label '" + config_.engine.labels.pod +
                                       "'; they belong to no replica");
        for (auto& [pod, sample] : pods) {
            if (found_.pods.is_gone(samples.model.namespace_name, pod)) {
                samples.gone_pods.push_back(pod);
                continue;
            }
            sample.pod = pod;
            sample.owner = found_.pods.owner_of(samples.model.namespace_name, pod);
            if (kv_failure != nullptr)
                sample.kv_cache_usage = Reading<double>::missing(ReadingReason::backend_error);
            if (queue_failure != nullptr)
                sample.queue_length = Reading<double>::missing(ReadingReason::backend_error);
            samples.pods.push_back(std::move(sample));
        }
        return samples;
    }

    /// The metrics of each of these variants, which are all those asked about of one of the plan's
    /// models.
    std::vector<Result<OptimizerMetrics>>
    optimizer(std::size_t model, std::span<const VariantAutoscaling> variants) const {
        const DeploymentIndex deployments(plan_.models()[model], variants);
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants)
            answers.push_back(optimizer_of(model, variant, deployments));
        return answers;
    }

private:
    /// One signal summed over one variant's pods.
    struct Share {
        RateTotal total;
        /// The model has pods, but some of them fit none of the variants.
        bool has_unattributed = false;
        /// The series have no pod label: the number is the whole model's.
        bool is_whole_model = false;
    };

    const Error* failure(Signal signal, std::size_t model) const {
        const auto found = found_.signals.find(signal);
        return found == found_.signals.end() ? nullptr : found->second.failure(model);
    }

    std::span<const SignalRow> rows(Signal signal, std::size_t model) const {
        const auto found = found_.signals.find(signal);
        return found == found_.signals.end() ? std::span<const SignalRow>()
                                             : found->second.of_model(model);
    }

    template <typename Metrics>
    void add_warnings(std::size_t model, Metrics& metrics) const {
        if (const auto said = found_.warnings.find(model); said != found_.warnings.end()) {
            metrics.warnings.assign(said->second.begin(), said->second.end());
            metrics.partial = true;
        }
        if (!found_.pods.warnings.empty()) {
            metrics.warnings.insert(metrics.warnings.end(), found_.pods.warnings.begin(),
                                    found_.pods.warnings.end());
            metrics.partial = true;
        }
    }

    template <typename Metrics>
    static void add_failures(const std::vector<const Error*>& failures, Metrics& metrics) {
        std::set<std::string> texts; // An outage says the same of every signal.
        for (const Error* error : failures)
            if (error != nullptr)
                texts.insert(error->describe());
        metrics.partial = metrics.partial || !texts.empty();
        metrics.warnings.insert(metrics.warnings.end(), texts.begin(), texts.end());
    }

    void fill(std::size_t model, Signal signal, AcrossEngines across,
              Reading<double> ReplicaSample::*member,
              std::map<std::string, ReplicaSample>& pods) const {
        for_each_pod(
            rows(signal, model), [&](const std::string& pod, std::span<const SignalRow> of_pod) {
                const auto nothing = Reading<double>::missing(ReadingReason::no_series);
                const auto [place, is_new] = pods.try_emplace(pod);
                if (is_new)
                    place->second.kv_cache_usage = place->second.queue_length = nothing;
                place->second.*member =
                    gauge_reading(of_pod, metrics_.at(signal), across, config_.windows.peak);
            });
    }

    Share share_of(Signal signal, std::size_t model, const VariantAutoscaling& variant,
                   const DeploymentIndex& deployments) const {
        Share share;
        const std::size_t aliases = metrics_.at(signal).size();
        for_each_pod(
            rows(signal, model), [&](const std::string& pod, std::span<const SignalRow> of_pod) {
                if (!pod.empty()) {
                    const auto owner = found_.pods.owner_of(variant.namespace_name, pod);
                    const VariantAutoscaling* owned_by = deployments.owner_of(pod, owner);
                    if (owned_by == nullptr || owned_by->deployment != variant.deployment) {
                        share.has_unattributed = share.has_unattributed || owned_by == nullptr;
                        return;
                    }
                } else {
                    share.is_whole_model = true;
                }
                if (computation_of(signal) == Computation::average)
                    add_average(share.total, of_pod, aliases, config_.windows.rate);
                else
                    add_rate(share.total, of_pod, aliases, config_.windows.rate);
            });
        return share;
    }

    Result<OptimizerMetrics> optimizer_of(std::size_t model, const VariantAutoscaling& variant,
                                          const DeploymentIndex& deployments) const {
        OptimizerMetrics metrics;
        metrics.namespace_name = variant.namespace_name;
        metrics.variant = variant.name;
        metrics.model_id = variant.model_id;
        metrics.deployment = variant.deployment;
        add_warnings(model, metrics);

        const std::array<std::pair<Signal, Reading<double>*>, 5> wanted{{
            {Signal::arrival_rate, &metrics.arrival_rate_per_minute},
            {Signal::input_tokens, &metrics.avg_input_tokens},
            {Signal::output_tokens, &metrics.avg_output_tokens},
            {Signal::ttft, &metrics.ttft_seconds},
            {Signal::itl, &metrics.itl_seconds},
        }};
        std::vector<const Error*> failures;
        bool is_whole_model = false;
        for (const auto& [signal, reading] : wanted) {
            if (const Error* error = failure(signal, model)) {
                *reading = Reading<double>::missing(ReadingReason::backend_error);
                failures.push_back(error);
                continue;
            }
            const Share share = share_of(signal, model, variant, deployments);
            is_whole_model = is_whole_model || share.is_whole_model;
            *reading = reading_of(signal, share);
        }
        if (failures.size() == wanted.size())
            return *failures.front();
        add_failures(failures, metrics);
        if (is_whole_model)
            metrics.warnings.push_back(
                "some series of model '" + variant.model_id + "' have no label '" +
                config_.engine.labels.pod +
                "': variants cannot be told apart, the whole model's are counted for each");
        return metrics;
    }

    Reading<double> reading_of(Signal signal, const Share& share) const {
        const std::vector<MetricName>& metrics = metrics_.at(signal);
        if (share.total.pods == 0)
            return Reading<double>::missing(share.has_unattributed ? ReadingReason::unattributed
                                                                   : ReadingReason::no_series);
        if (computation_of(signal) == Computation::average)
            return average(share.total, metrics, config_.windows.rate, config_.min_requests);
        return per_minute(share.total, metrics);
    }

    const PrometheusConfig& config_;
    const promql::QueryPlan& plan_;
    const BatchFindings& found_;
    std::map<Signal, std::vector<MetricName>> metrics_;
};

} // namespace wva_metrics::detail
