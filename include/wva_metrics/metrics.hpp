// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/freshness.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/replica_role.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/source.hpp"
#include "wva_metrics/total_coverage.hpp"
#include "wva_metrics/workload.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// One reading of a struct of readings, as a row of a table: so that code can loop over readings.
template <typename Metrics>
struct ReadingField {
    /// The member's name.
    std::string_view name;
    Reading<double> Metrics::*member; ///< The reading in the struct.
    /// The signal that it is computed from.
    Signal signal;
};

/// Load and latency of one variant; input of proactive (model-based) scaling.
///
/// Averages are over the requests that finished in the backend's rate window. A reading says over how
/// long it was measured (`window()`).
struct OptimizerMetrics {
    /// The variant's namespace.
    std::string namespace_name{};
    /// Name of the variant autoscaling object.
    std::string variant{};
    /// The model it serves.
    std::string model_id{};
    /// Name of the workload it scales.
    std::string deployment{};

    /// Finished requests per minute, of all pods of the variant. Where it lacks a pod, it is a lower
    /// bound; see `coverage`.
    Reading<double> arrival_rate_per_minute{};
    /// Prompt tokens per request.
    Reading<double> avg_input_tokens{};
    /// Generated tokens per request.
    Reading<double> avg_output_tokens{};
    /// Time to first token, seconds per request.
    Reading<double> ttft_seconds{};
    /// Inter-token latency, seconds per token.
    Reading<double> itl_seconds{};

    /// The backend failed to return a part of the answer, or reported that a part is missing.
    bool partial = false;
    /// Human-readable warnings of the backend.
    std::vector<std::string> warnings{};
    /// Kind of the workload that the variant scales.
    std::string target_kind{default_target_kind};
    /// The pods that `arrival_rate_per_minute` is the total of. If it lacks a pod that lives, the
    /// reading is a lower bound, and `partial` is set. No pod is seen if the backend does not say.
    TotalCoverage coverage{};
    /// The quantiles that the configuration of the backend chooses, over the requests of all pods.
    OptionalReadings optional{};
};

/// All readings of `OptimizerMetrics`, apart from the optional ones.
inline constexpr std::array optimizer_readings = {
    ReadingField<OptimizerMetrics>{"arrival_rate_per_minute",
                                   &OptimizerMetrics::arrival_rate_per_minute,
                                   Signal::arrival_rate},
    ReadingField<OptimizerMetrics>{"avg_input_tokens", &OptimizerMetrics::avg_input_tokens,
                                   Signal::input_tokens},
    ReadingField<OptimizerMetrics>{"avg_output_tokens", &OptimizerMetrics::avg_output_tokens,
                                   Signal::output_tokens},
    ReadingField<OptimizerMetrics>{"ttft_seconds", &OptimizerMetrics::ttft_seconds, Signal::ttft},
    ReadingField<OptimizerMetrics>{"itl_seconds", &OptimizerMetrics::itl_seconds, Signal::itl},
};

/// Measurements of one pod, not yet attributed to a variant.
struct ReplicaSample {
    /// The pod's name.
    std::string pod{};
    /// Fraction of the KV cache in use, 0..1; the highest of the pod's engines. A
    /// backend may return the peak of a window, with the last sample in `latest()`; see `statistic()`.
    Reading<double> kv_cache_usage{};
    /// Requests waiting; the sum over the pod's engines. A peak, as `kv_cache_usage`.
    Reading<double> queue_length{};
    /// The pod's owner, if it is known from a better source than the pod's name.
    std::optional<PodOwner> owner{};
    /// The pod's state in its cluster.
    PodState state = PodState::unknown;
    /// The newest sample of the pod, of any metric; empty if the backend does not say. A pod that is
    /// not being scraped has an old one, also where a reading has no value.
    std::optional<TimePoint> last_sample_at{};
    /// The kind of server, e.g. `vllm`: the name of the profile by which the pod was measured. Empty
    /// if the backend does not say.
    std::string engine{};
    /// Which part of a request it works on, as far as the labels of its series tell.
    ReplicaRole role = ReplicaRole::unknown;
    /// What the configuration of the backend chooses.
    OptionalReadings optional{};
};

/// All pods of one model. This is what is cached: it does not depend on a caller's variants or
/// costs.
struct ReplicaSamples {
    /// The model that the pods serve.
    ModelKey model{};
    /// Sorted by pod name.
    std::vector<ReplicaSample> pods{};
    /// Pods that no longer exist but still have values, sorted. They are not in `pods`.
    std::vector<std::string> gone_pods{};
    /// The backend failed to return a part of the answer, or reported that a part is missing.
    bool partial = false;
    /// Human-readable warnings of the backend.
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
    /// Cost of this replica per hour, in the caller's currency.
    double cost = default_variant_cost;
    /// Fraction of the KV cache in use, 0..1; see `ReplicaSample`.
    Reading<double> kv_cache_usage{};
    /// Requests waiting; see `ReplicaSample`.
    Reading<double> queue_length{};
    /// The source that attributed the pod to the variant.
    OwnerSource attributed_by = OwnerSource::unknown;
    /// The pod's state in its cluster. Never `gone`: such pods are not replicas.
    PodState state = PodState::unknown;
    /// The newest sample of the pod; see `ReplicaSample`.
    std::optional<TimePoint> last_sample_at{};
    /// The kind of server; see `ReplicaSample`.
    std::string engine{};
    /// Which part of a request it works on; see `ReplicaSample`. Do not merge the queues of prefill
    /// with those of decode.
    ReplicaRole role = ReplicaRole::unknown;
    /// What the configuration of the backend chooses.
    OptionalReadings optional{};
};

/// All readings of `ReplicaSample` or of `ReplicaMetrics`, which have the same ones; apart from
/// the optional ones.
template <typename Replica>
inline constexpr std::array replica_readings = {
    ReadingField<Replica>{"kv_cache_usage", &Replica::kv_cache_usage, Signal::kv_cache_usage},
    ReadingField<Replica>{"queue_length", &Replica::queue_length, Signal::queue_length},
};

/// The replicas of one model, attributed to one caller's variants.
struct ModelReplicas {
    /// The model that the replicas serve.
    ModelKey model{};
    /// Sorted by variant, then pod.
    std::vector<ReplicaMetrics> replicas{};
    /// Pods of this model that do not belong to any of the caller's variants, sorted.
    std::vector<std::string> unattributed_pods{};
    /// Pods that no longer exist but still have values, sorted.
    std::vector<std::string> gone_pods{};
    /// The backend failed to return a part of the answer, or reported that a part is missing.
    bool partial = false;
    /// Human-readable warnings of the backend and of the attribution.
    std::vector<std::string> warnings{};
};

namespace detail {

template <typename Metrics, typename Fields>
void take_older(std::optional<TimePoint>& oldest, const Metrics& metrics,
                const Fields& fields) noexcept {
    for (const ReadingField<Metrics>& field : fields) {
        const Reading<double>& reading = metrics.*field.member;
        if (reading.has_value() && (!oldest || reading.latest_at() < *oldest))
            oldest = reading.latest_at();
    }
}

} // namespace detail

/// The time of the oldest sample among the readings that have a value; empty if none has one. Of a
/// peak, the last sample counts, not the one that holds the value: it tells whether the server is
/// still being measured. Optional readings do not count: each has its own age.
inline std::optional<TimePoint> oldest_sample(const OptimizerMetrics& metrics) noexcept {
    std::optional<TimePoint> oldest;
    detail::take_older(oldest, metrics, optimizer_readings);
    return oldest;
}

/// The same for all replicas of a model.
inline std::optional<TimePoint> oldest_sample(const ModelReplicas& replicas) noexcept {
    std::optional<TimePoint> oldest;
    for (const ReplicaMetrics& replica : replicas.replicas)
        detail::take_older(oldest, replica, replica_readings<ReplicaMetrics>);
    return oldest;
}

/// Immutable, shared metrics, with their freshness and source at the moment they were returned.
///
/// Cheap to copy: copies share the metrics.
///
/// **Threads:** any number of threads may read the same snapshot.
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
    /// The metrics, to keep them longer than the snapshot.
    const std::shared_ptr<const Metrics>& shared() const noexcept { return metrics_; }

    /// When the backend was queried.
    TimePoint collected_at() const noexcept { return collected_at_; }
    /// Freshness of the oldest sample inside, at the moment the snapshot was returned.
    Freshness freshness() const noexcept { return freshness_; }
    /// The source of the metrics.
    Source source() const noexcept { return source_; }

private:
    std::shared_ptr<const Metrics> metrics_;
    TimePoint collected_at_;
    Freshness freshness_;
    Source source_;
};

/// A `Snapshot` in place: what a visitor gets. It refers to the metrics without sharing them, and is
/// valid until the visitor returns.
template <typename Metrics>
class SnapshotView {
public:
    /// Made by a collector.
    SnapshotView(const Metrics& metrics, TimePoint collected_at, Freshness freshness,
                 Source source) noexcept
        : metrics_(metrics), collected_at_(collected_at), freshness_(freshness), source_(source) {}
    /// A view of a snapshot.
    explicit SnapshotView(const Snapshot<Metrics>& snapshot) noexcept
        : SnapshotView(*snapshot, snapshot.collected_at(), snapshot.freshness(),
                       snapshot.source()) {}
    SnapshotView(const SnapshotView&) = delete;
    SnapshotView& operator=(const SnapshotView&) = delete;

    /// The metrics.
    const Metrics& operator*() const noexcept { return metrics_; }
    /// The metrics' members.
    const Metrics* operator->() const noexcept { return &metrics_; }

    /// As `Snapshot::collected_at`.
    TimePoint collected_at() const noexcept { return collected_at_; }
    /// As `Snapshot::freshness`.
    Freshness freshness() const noexcept { return freshness_; }
    /// As `Snapshot::source`.
    Source source() const noexcept { return source_; }

private:
    const Metrics& metrics_;
    TimePoint collected_at_;
    Freshness freshness_;
    Source source_;
};

/// One variant's optimizer metrics, in place.
using OptimizerView = SnapshotView<OptimizerMetrics>;
/// One model's replicas, in place.
using ReplicaView = SnapshotView<ModelReplicas>;

/// One variant's optimizer metrics.
using OptimizerSnapshot = Snapshot<OptimizerMetrics>;
/// One model's replicas, attributed to one caller's variants.
using ReplicaSnapshot = Snapshot<ModelReplicas>;

} // namespace wva_metrics
