// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/backend/detail/batch_result.hpp"
#include "wva_metrics/backend/detail/pod_readings.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/backend/detail/workload_rates.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/metrics.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Turns the answers of one batch into metrics. Pure. The arguments of the constructor must outlive
/// it.
class MetricsAssembler {
public:
    MetricsAssembler(const PrometheusConfig& config, const promql::QueryPlan& plan,
                     const BatchResult& result)
        : config_(config), plan_(plan), result_(result) {
        for (const Signal signal : all_signals)
            for (const std::string& metric : config.engine[signal])
                metrics_[signal].emplace_back(metric);
    }

    /// The pods of one of the plan's models. An error only if the queries for all signals failed.
    Result<ReplicaSamples> replicas(std::size_t model) const {
        const std::vector<const Error*> failures = failures_of(replica_fields, model);
        if (failures.size() == replica_fields.size())
            return *failures.front();

        ReplicaSamples samples;
        samples.model = plan_.models()[model];
        add_warnings(model, samples);
        add_failures(failures, samples);

        std::map<std::string, FoundPod> pods = find_pods(model);
        if (pods.erase(std::string()) > 0)
            samples.warnings.push_back("some series of model '" + samples.model.model_id +
                                       "' have no label '" + config_.engine.labels.pod +
                                       "'; they are ignored");
        const std::string& namespace_name = samples.model.namespace_name;
        for (auto& [pod, found] : pods) {
            ReplicaSample& sample = found.sample;
            sample.state = result_.pods.state_of(namespace_name, pod, found.has_living_series);
            if (sample.state == PodState::gone) {
                samples.gone_pods.push_back(pod);
                continue;
            }
            sample.pod = pod;
            sample.owner = result_.pods.owner_of(namespace_name, pod);
            samples.pods.push_back(std::move(sample));
        }
        return samples;
    }

    /// The metrics of each variant. `variants` are all requested variants of one of the plan's
    /// models.
    std::vector<Result<OptimizerMetrics>>
    optimizer(std::size_t model, std::span<const VariantAutoscaling> variants) const {
        const ModelKey& key = plan_.models()[model];
        const DeploymentIndex deployments(key, variants);
        std::map<Signal, WorkloadRates> rates;
        for (const auto& field : optimizer_readings)
            rates.emplace(field.signal,
                          WorkloadRates(field.signal, result_.rows(field.signal, model),
                                        metrics_.at(field.signal).size(), config_.windows.rate,
                                        key.namespace_name, deployments, result_.pods));
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants)
            answers.push_back(optimizer_of(model, variant, rates));
        return answers;
    }

private:
    static constexpr const auto& replica_fields = replica_readings<ReplicaSample>;

    struct FoundPod {
        ReplicaSample sample;
        bool has_living_series = false;
    };

    /// The errors of the queries for these readings.
    template <typename Fields>
    std::vector<const Error*> failures_of(const Fields& fields, std::size_t model) const {
        std::vector<const Error*> failures;
        for (const auto& field : fields)
            if (const Error* error = result_.failure(field.signal, model))
                failures.push_back(error);
        return failures;
    }

    template <typename Metrics>
    void add_warnings(std::size_t model, Metrics& metrics) const {
        if (const auto found = result_.warnings.find(model); found != result_.warnings.end()) {
            metrics.warnings.assign(found->second.begin(), found->second.end());
            metrics.partial = true;
        }
        const auto& about_pods = result_.pods.warnings(plan_.models()[model].namespace_name);
        metrics.warnings.insert(metrics.warnings.end(), about_pods.begin(), about_pods.end());
        metrics.partial = metrics.partial || !about_pods.empty();
    }

    template <typename Metrics>
    static void add_failures(const std::vector<const Error*>& failures, Metrics& metrics) {
        std::set<std::string> texts; // In an outage, all signals have the same error.
        for (const Error* error : failures)
            texts.insert(error->describe());
        metrics.partial = metrics.partial || !texts.empty();
        metrics.warnings.insert(metrics.warnings.end(), texts.begin(), texts.end());
    }

    /// The pods with rows of any signal, by name, with their readings.
    std::map<std::string, FoundPod> find_pods(std::size_t model) const {
        std::map<std::string, FoundPod> pods;
        for (const auto& field : replica_fields)
            for_each_pod(result_.rows(field.signal, model), [&](const std::string& pod,
                                                                std::span<const SignalRow> rows) {
                const auto [place, is_new] = pods.try_emplace(pod);
                if (is_new)
                    place->second.sample = sample_without_values(model);
                place->second.sample.*field.member =
                    gauge_reading(rows, metrics_.at(field.signal),
                                  info_of(field.signal).across_engines, config_.windows.peak);
                place->second.has_living_series |= has_living_series(rows);
            });
        return pods;
    }

    ReplicaSample sample_without_values(std::size_t model) const {
        ReplicaSample sample;
        for (const auto& field : replica_fields)
            sample.*field.member = Reading<double>::missing(
                result_.failure(field.signal, model) != nullptr ? ReadingReason::backend_error
                                                                : ReadingReason::no_series);
        return sample;
    }

    Result<OptimizerMetrics> optimizer_of(std::size_t model, const VariantAutoscaling& variant,
                                          const std::map<Signal, WorkloadRates>& rates) const {
        const std::vector<const Error*> failures = failures_of(optimizer_readings, model);
        if (failures.size() == optimizer_readings.size())
            return *failures.front();

        OptimizerMetrics metrics;
        metrics.namespace_name = variant.namespace_name;
        metrics.variant = variant.name;
        metrics.model_id = variant.model_id;
        metrics.deployment = variant.deployment;
        metrics.target_kind = variant.target_kind;
        add_warnings(model, metrics);
        add_failures(failures, metrics);

        bool has_series_without_pod = false;
        for (const auto& field : optimizer_readings) {
            Reading<double>& reading = metrics.*field.member;
            if (result_.failure(field.signal, model) != nullptr) {
                reading = Reading<double>::missing(ReadingReason::backend_error);
                continue;
            }
            const WorkloadRates& of_signal = rates.at(field.signal);
            has_series_without_pod |= of_signal.has_series_without_pod();
            reading = reading_of(field.signal, of_signal.of(variant), of_signal.has_unattributed());
        }
        if (has_series_without_pod)
            metrics.warnings.push_back("some series of model '" + variant.model_id +
                                       "' have no label '" + config_.engine.labels.pod +
                                       "' and cannot be attributed to a variant; each variant "
                                       "gets the values of the whole model");
        return metrics;
    }

    Reading<double> reading_of(Signal signal, const RateTotal& total, bool has_unattributed) const {
        const std::vector<MetricName>& metrics = metrics_.at(signal);
        if (total.pods == 0)
            return Reading<double>::missing(has_unattributed ? ReadingReason::unattributed
                                                             : ReadingReason::no_series);
        if (computation_of(signal) == Computation::average)
            return average(total, metrics, config_.windows.rate, config_.min_requests);
        return per_minute(total, metrics);
    }

    const PrometheusConfig& config_;
    const promql::QueryPlan& plan_;
    const BatchResult& result_;
    std::map<Signal, std::vector<MetricName>> metrics_;
};

} // namespace wva_metrics::detail
