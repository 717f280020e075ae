// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/backend/detail/gauge_reading.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/optional_assembler.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/detail/workload_totals.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/optional_reading.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The signals of optimizer metrics.
inline constexpr auto optimizer_signals = [] {
    std::array<Signal, optimizer_readings.size()> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = optimizer_readings[i].signal;
    return all;
}();

/// Turns what was learned of a model into metrics. Pure. The arguments of the constructor must
/// outlive it.
class MetricsAssembler {
public:
    /// `Config` has `min_requests`, `engine` and `optional_readings`, as `PrometheusConfig`.
    template <typename Config>
    MetricsAssembler(const Config& config, const SignalMetrics& metrics)
        : min_requests_(config.min_requests), engine_(config.engine),
          chosen_(config.optional_readings), metrics_(metrics),
          optional_(metrics, config.optional_readings, config.min_requests) {}

    /// The pods of a model. An error if the query for them failed.
    Result<ReplicaSamples> replicas(const ModelKey& model, const ModelReport& report) const {
        if (report.failure)
            return *report.failure;
        ReplicaSamples samples;
        samples.model = model;
        add_warnings(report, samples);
        for (const JudgedPod& pod : report.pods) {
            if (pod.report.pod.empty())
                continue; // A warning says so.
            if (pod.state == PodState::gone)
                samples.gone_pods.push_back(pod.report.pod);
            else
                samples.pods.push_back(sample_of(pod, report.clock));
        }
        return samples;
    }

    /// The metrics of each variant. `variants` are all requested variants of one model, `others` what
    /// else is known of it; see `DeploymentIndex`.
    std::vector<Result<OptimizerMetrics>>
    optimizer(const ModelKey& model, const ModelReport& report,
              std::span<const VariantAutoscaling> variants,
              std::span<const VariantAutoscaling> others = {}) const {
        if (report.failure)
            return std::vector<Result<OptimizerMetrics>>(variants.size(), *report.failure);
        const DeploymentIndex deployments(model, variants, others);
        const WorkloadTotals totals(optimizer_signals, report.pods, deployments, chosen_);
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants)
            answers.emplace_back(optimizer_of(report, variant, totals));
        return answers;
    }

private:
    template <typename Metrics>
    static void add_warnings(const ModelReport& report, Metrics& metrics) {
        metrics.partial = !report.partial_because.empty();
        metrics.warnings.assign(report.partial_because.begin(), report.partial_because.end());
        metrics.warnings.insert(metrics.warnings.end(), report.warnings.begin(),
                                report.warnings.end());
    }

    ReplicaSample sample_of(const JudgedPod& pod, const ServerClock& clock) const {
        ReplicaSample sample;
        sample.pod = pod.report.pod;
        sample.state = pod.state;
        sample.owner = pod.owner;
        sample.engine = pod.engine.value_or(engine_.name);
        sample.role = pod.report.role;
        sample.last_sample_at = local_time(clock, pod.report.last_sample);
        for (const auto& field : replica_readings<ReplicaSample>) {
            if (!metrics_.provides(field.signal)) {
                sample.*field.member = Reading<double>::missing(ReadingReason::not_provided);
                continue;
            }
            const samples::SignalValue& value = pod.report[field.signal];
            sample.*field.member =
                gauge_reading(value, metrics_.name(field.signal, value.alias), clock);
        }
        sample.optional = optional_.of_pod(pod.report, clock);
        return sample;
    }

    OptimizerMetrics optimizer_of(const ModelReport& report, const VariantAutoscaling& variant,
                                  const WorkloadTotals& totals) const {
        OptimizerMetrics metrics;
        metrics.namespace_name = variant.namespace_name;
        metrics.variant = variant.name;
        metrics.model_id = variant.model_id;
        metrics.deployment = variant.deployment;
        metrics.target_kind = variant.target_kind;
        add_warnings(report, metrics);

        const SignalTotals& of_variant = totals.of(variant);
        for (const auto& field : optimizer_readings) {
            const SignalTotal& total = of_variant.at(field.signal);
            Reading<double>& reading = metrics.*field.member;
            if (!metrics_.provides(field.signal))
                reading = Reading<double>::missing(ReadingReason::not_provided);
            else if (!total.empty())
                reading = total.reading(metrics_, report.clock, min_requests_);
            else
                reading = Reading<double>::missing(
                    totals.has_unattributed() ? ReadingReason::unattributed : total.why_empty());
        }
        metrics.optional =
            optional_.of_variant(totals.total_of(variant), report, totals.has_unattributed());
        add_coverage(of_variant.at(Signal::arrival_rate), metrics);
        if (totals.has_series_without_pod())
            metrics.warnings.push_back("some series of model '" + variant.model_id +
                                       "' have no label '" + engine_.labels.pod +
                                       "' and cannot be attributed to a variant; each variant "
                                       "gets the values of the whole model");
        return metrics;
    }

    static void add_coverage(const SignalTotal& rate, OptimizerMetrics& metrics) {
        metrics.coverage = cover(rate.counted(), rate.missing());
        if (metrics.coverage.is_whole())
            return;
        metrics.partial = true;
        std::string text = "the total lacks " + std::to_string(metrics.coverage.lacking()) +
                           " of " + std::to_string(metrics.coverage.seen) + " pods: ";
        for (const std::string& pod : metrics.coverage.missing) {
            constexpr std::size_t max_bytes = 100;
            text += &pod == &metrics.coverage.missing.front() ? "" : ", ";
            text += pod.empty() ? "a server without a pod" : "'" + clean_text(pod, max_bytes) + "'";
        }
        metrics.warnings.push_back(std::move(text));
    }

    double min_requests_;
    const EngineProfile& engine_;
    OptionalReadingSet chosen_;
    const SignalMetrics& metrics_;
    OptionalAssembler optional_;
};

} // namespace wva_metrics::detail
