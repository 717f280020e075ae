// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/freshness.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// What one variant is asked to do and how well it does it; input of proactive (model-based)
/// scaling.
///
/// Averages are over the requests that finished in the backend's rate window.
struct OptimizerMetrics {
    /// The variant's namespace.
    std::string namespace_name{};
    /// Name of the variant autoscaling object.
    std::string variant{};
    /// The model it serves.
    std::string model_id{};
    /// Name of the workload it scales.
    std::string deployment{};

    /// Finished requests per minute.
    Reading<double> arrival_rate_per_minute{};
    /// Prompt tokens per request.
    Reading<double> avg_input_tokens{};
    /// Generated tokens per request.
    Reading<double> avg_output_tokens{};
    /// Time to first token, seconds per request.
    Reading<double> ttft_seconds{};
    /// Inter-token latency, seconds per token.
    Reading<double> itl_seconds{};

    /// Some of the answer is missing because the backend failed or said so.
    bool partial = false;
    /// What the backend said beside its answer, for people.
    std::vector<std::string> warnings{};
    /// Kind of the workload that the variant scales.
    std::string target_kind{default_target_kind};
};

/// What was measured on one pod, before anyone asks which variant it belongs to.
struct ReplicaSample {
    /// The pod's name.
    std::string pod{};
    /// Fraction of the KV cache in use, 0..1; the highest of the pod's engines.
    Reading<double> kv_cache_usage{};
    /// Requests waiting; the sum over the pod's engines.
    Reading<double> queue_length{};
    /// Whose pod it is, where somebody knows better than the pod's name tells.
    std::optional<PodOwner> owner{};
    /// What is known of its life.
    PodState state = PodState::unknown;
};

/// All pods of one model. This is what is cached: it depends on no caller's variants or costs.
struct ReplicaSamples {
    /// Whose pods these are.
    ModelKey model{};
    /// Sorted by pod name.
    std::vector<ReplicaSample> pods{};
    /// Pods that no longer exist but have left values, sorted. They are not in `pods`.
    std::vector<std::string> gone_pods{};
    /// Some of the answer is missing because the backend failed or said so.
    bool partial = false;
    /// What the backend said beside its answer, for people.
    std::vector<std::string> warnings{};
};

/// One replica of one variant; input of reactive (saturation-based) scaling.
struct ReplicaMetrics {
    /// The pod's name.
    std::string pod{};
    /// The pod's namespace.
    std::string namespace_name{};
    /// The model it serves.
    std::string model_id{};
    /// The variant it belongs to.
    std::string variant{};
    /// Name of the workload that the variant scales.
    std::string deployment{};
    /// The variant's accelerator.
    std::string accelerator{};
    /// Of this replica per hour, in the caller's currency.
    double cost = default_variant_cost;
    /// Fraction of the KV cache in use, 0..1.
    Reading<double> kv_cache_usage{};
    /// Requests waiting.
    Reading<double> queue_length{};
    /// Who says that the pod is this variant's.
    OwnerSource attributed_by = OwnerSource::unknown;
    /// What is known of its life. Never `gone`: such pods are no replicas.
    PodState state = PodState::unknown;
};

/// The replicas of one model, joined with one caller's variants.
struct ModelReplicas {
    /// Whose replicas these are.
    ModelKey model{};
    /// Sorted by variant, then pod.
    std::vector<ReplicaMetrics> replicas{};
    /// Pods of this model that belong to none of the caller's variants, sorted.
    std::vector<std::string> unattributed_pods{};
    /// Pods that no longer exist but have left values, sorted.
    std::vector<std::string> gone_pods{};
    /// Some of the answer is missing because the backend failed or said so.
    bool partial = false;
    /// What the backend and the attribution said beside the answer, for people.
    std::vector<std::string> warnings{};
};

/// Where a snapshot came from.
enum class Source : std::uint8_t {
    /// Fetched for this call.
    backend,
    /// From the cache, within its TTL or its stale window.
    cache,
    /// The last good value, served because the backend failed.
    stale_on_error,
};

/// The enumerator's name, for people and logs.
constexpr std::string_view to_string(Source source) noexcept {
    switch (source) {
    case Source::backend:
        return "backend";
    case Source::cache:
        return "cache";
    case Source::stale_on_error:
        return "stale_on_error";
    }
    return "unknown";
}

/// Immutable, shared metrics and what is true of them at the moment they were handed out.
///
/// Cheap to copy; copies share the metrics. Any number of threads may read the same one.
template <typename Metrics>
class Snapshot {
public:
    /// Made by a collector.
    Snapshot(std::shared_ptr<const Metrics> metrics, TimePoint collected_at, Freshness freshness,
             Source source) noexcept
        : metrics_(std::move(metrics)), collected_at_(collected_at), freshness_(freshness),
          source_(source) {}

    /// The metrics; they live as long as any copy of the snapshot.
    const Metrics& operator*() const noexcept { return *metrics_; }
    /// The metrics' members.
    const Metrics* operator->() const noexcept { return metrics_.get(); }
    /// The metrics, to be kept beyond the snapshot.
    const std::shared_ptr<const Metrics>& shared() const noexcept { return metrics_; }

    /// When the backend was asked.
    TimePoint collected_at() const noexcept { return collected_at_; }
    /// Judged by the oldest sample inside, at the moment the snapshot was handed out.
    Freshness freshness() const noexcept { return freshness_; }
    /// Where the metrics came from.
    Source source() const noexcept { return source_; }

private:
    std::shared_ptr<const Metrics> metrics_;
    TimePoint collected_at_;
    Freshness freshness_;
    Source source_;
};

/// One variant's optimizer metrics.
using OptimizerSnapshot = Snapshot<OptimizerMetrics>;
/// One model's replicas, joined with one caller's variants.
using ReplicaSnapshot = Snapshot<ModelReplicas>;

} // namespace wva_metrics
