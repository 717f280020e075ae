// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/pod_facts.hpp"
#include "wva_metrics/backend/detail/pod_readings.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/metrics.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// What optimizer metrics are made of.
inline constexpr std::array optimizer_signals = {Signal::arrival_rate, Signal::input_tokens,
                                                 Signal::output_tokens, Signal::ttft, Signal::itl};
/// What replica metrics are made of.
inline constexpr std::array replica_signals = {Signal::kv_cache_usage, Signal::queue_length};

/// Everything that was learnt in one batch.
struct BatchFindings {
    std::map<Signal, SignalRows> signals;
    PodKnowledge pods;
    AskedSizes pods_asked;
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
            for (const std::string& metric : config.engine[signal])
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

        std::map<std::string, FoundPod> pods;
        fill(model, Signal::kv_cache_usage, AcrossEngines::highest, &ReplicaSample::kv_cache_usage,
             pods);
        fill(model, Signal::queue_length, AcrossEngines::sum, &ReplicaSample::queue_length, pods);
        if (pods.erase(std::string()) > 0)
            samples.warnings.push_back("some series of model '" + samples.model.model_id +
                                       "' have no label '" + config_.engine.labels.pod +
                                       "'; they belong to no replica");
        for (auto& [pod, found] : pods) {
            ReplicaSample& sample = found.sample;
            sample.state =
                found_.pods.state_of(samples.model.namespace_name, pod, found.has_living_series);
            if (sample.state == PodState::gone) {
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
        std::map<Signal, Shares> shares;
        for (const Signal signal : optimizer_signals)
            shares.emplace(signal, shares_of(signal, model, deployments));
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants)
            answers.push_back(optimizer_of(model, variant, shares));
        return answers;
    }

private:
    /// A pod under one signal after the other.
    struct FoundPod {
        ReplicaSample sample;
        bool has_living_series = false;
    };

    /// Kind and name. Several variants may scale one, and one name may have several kinds.
    using Workload = std::pair<std::string_view, std::string_view>;
    static Workload workload_of(const VariantAutoscaling& variant) noexcept {
        return {variant.target_kind, variant.deployment};
    }

    /// One signal of one model, summed over each variant's pods.
    struct Shares {
        /// Of series without a pod: nobody's own, counted for each variant.
        RateTotal without_pod;
        /// With `without_pod`. Every pod is looked at once, however many variants there are.
        std::map<Workload, RateTotal> of_workload;
        /// The model has pods, but some of them fit none of the variants.
        bool has_unattributed = false;

        const RateTotal& of(const VariantAutoscaling& variant) const {
            const auto found = of_workload.find(workload_of(variant));
            return found == of_workload.end() ? without_pod : found->second;
        }
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
        const auto& about_pods = found_.pods.warnings(plan_.models()[model].namespace_name);
        metrics.warnings.insert(metrics.warnings.end(), about_pods.begin(), about_pods.end());
        metrics.partial = metrics.partial || !about_pods.empty();
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
              Reading<double> ReplicaSample::*member, std::map<std::string, FoundPod>& pods) const {
        for_each_pod(
            rows(signal, model), [&](const std::string& pod, std::span<const SignalRow> of_pod) {
                const auto nothing = Reading<double>::missing(ReadingReason::no_series);
                const auto [place, is_new] = pods.try_emplace(pod);
                FoundPod& found = place->second;
                if (is_new)
                    found.sample.kv_cache_usage = found.sample.queue_length = nothing;
                found.sample.*member =
                    gauge_reading(of_pod, metrics_.at(signal), across, config_.windows.peak);
                found.has_living_series = found.has_living_series || has_living_series(of_pod);
            });
    }

    Shares shares_of(Signal signal, std::size_t model, const DeploymentIndex& deployments) const {
        Shares shares;
        const std::string& namespace_name = plan_.models()[model].namespace_name;
        const std::size_t aliases = metrics_.at(signal).size();
        const auto add = [&](RateTotal& total, std::span<const SignalRow> pod) {
            if (computation_of(signal) == Computation::average)
                add_average(total, pod, aliases, config_.windows.rate);
            else
                add_rate(total, pod, aliases, config_.windows.rate);
        };
        // The rows without a pod come first.
        for_each_pod(
            rows(signal, model), [&](const std::string& pod, std::span<const SignalRow> of_pod) {
                if (pod.empty()) {
                    add(shares.without_pod, of_pod);
                    return;
                }
                const VariantAutoscaling* owner =
                    deployments.owner_of(pod, found_.pods.owner_of(namespace_name, pod));
                if (owner == nullptr) {
                    shares.has_unattributed = true;
                    return;
                }
                const auto place =
                    shares.of_workload.try_emplace(workload_of(*owner), shares.without_pod).first;
                add(place->second, of_pod);
            });
        return shares;
    }

    Result<OptimizerMetrics> optimizer_of(std::size_t model, const VariantAutoscaling& variant,
                                          const std::map<Signal, Shares>& shares) const {
        OptimizerMetrics metrics;
        metrics.namespace_name = variant.namespace_name;
        metrics.variant = variant.name;
        metrics.model_id = variant.model_id;
        metrics.deployment = variant.deployment;
        metrics.target_kind = variant.target_kind;
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
            const Shares& share = shares.at(signal);
            is_whole_model = is_whole_model || share.without_pod.pods > 0;
            *reading = reading_of(signal, share.of(variant), share.has_unattributed);
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
    const BatchFindings& found_;
    std::map<Signal, std::vector<MetricName>> metrics_;
};

} // namespace wva_metrics::detail
