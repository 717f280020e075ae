// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/workload.hpp"

// The fields of the collector and of the workloads. See settings_fields.hpp.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, FreshnessThresholds& thresholds) {
    list.add("optimizer_metrics", thresholds.optimizer_metrics,
             "Optimizer metrics are fresh if their oldest sample is younger than this.",
             Secrecy::open, "allocation_metrics");
    list.add("replica_metrics", thresholds.replica_metrics,
             "Replica metrics are fresh if their oldest sample is younger than this.");
    list.add("unavailable", thresholds.unavailable,
             "Metrics of this age or older are unavailable.");
}

inline void describe_fields(FieldList list, CacheConfig& cache) {
    list.add("enabled", cache.enabled,
             "`false`: every call sends a request to the backend; concurrent calls for the same "
             "target share one.");
    list.add("ttl", cache.ttl, "Time to live: an entry up to this age is a hit.");
    list.add("cleanup_interval", cache.cleanup_interval,
             "How often entries that can no longer be served are removed; `\"0s\"` = never.");
    list.add(
        "fetch_interval", cache.fetch_interval,
        "How often tracked variants and models are fetched in the background; `\"0s\"` = never.");
    describe_fields(list.group("freshness_thresholds"), cache.freshness_thresholds);
    list.add("stale_while_revalidate", cache.stale_while_revalidate,
             "How long after its TTL an entry is still served while it is revalidated in the "
             "background.");
    list.add("stale_if_error", cache.stale_if_error,
             "How long after its TTL an entry is still served when the backend fails.");
    list.add("negative_ttl", cache.negative_ttl,
             "How long a failure is remembered before the same request is sent again. Also the TTL "
             "of the answer that a model is not available; neither stale window applies to it.");
    list.add("partial_ttl", cache.partial_ttl,
             "TTL of a partial answer, and of an availability since which the model's replicas "
             "were not fetched.");
    list.add("max_entries", cache.max_entries,
             "Maximum number of entries. A variant is one, a model is one, and its availability is "
             "another.");
    list.add("max_bytes", cache.max_bytes, "Maximum estimated memory of all entries, in bytes.");
}

inline void describe_fields(FieldList list, CollectorConfig& collector) {
    describe_fields(list.group("cache"), collector.cache);
    list.add("call_timeout", collector.call_timeout,
             "Maximum time of a whole collection, retries included.");
    list.add("track_on_collection", collector.track_on_collection,
             "A variant or model that is collected once is tracked from then on.");
    list.add("untrack_after", collector.untrack_after,
             "A variant or model that is not requested for this time is untracked; `\"0s\"` = "
             "never.");
    list.add("max_tracked", collector.max_tracked,
             "Maximum number of tracked variants, and of tracked models.");
    list.add("max_handles", collector.max_handles,
             "Maximum number of handles that need no search; 0 = none.");
    list.add("max_waiters", collector.max_waiters,
             "Maximum number of callers that wait for the backend at the same time.");
    list.add("max_overdue_calls", collector.max_overdue_calls,
             "Maximum number of calls of the backend that were given up and still run.");
}

inline void describe_fields(FieldList list, VariantAutoscaling& variant) {
    list.add("namespace", variant.namespace_name, "Namespace of the variant, required.");
    list.add("name", variant.name, "Name of the variant autoscaling object, required.");
    list.add("model_id", variant.model_id, "The model as the servers name it, required.");
    list.add("deployment", variant.deployment, "The workload that is scaled, required.");
    list.add("accelerator", variant.accelerator, "Kind of accelerator.");
    list.add("cost", variant.cost, "Cost of one replica per hour, in your currency; default 10.");
    list.add("target_kind", variant.target_kind,
             "Kind of the workload: `Deployment`, `StatefulSet`, `LeaderWorkerSet`.");
}

inline void describe_fields(FieldList list, ModelKey& model) {
    list.add("namespace", model.namespace_name, "Namespace of the model's servers, required.");
    list.add("model_id", model.model_id, "The model as the servers name it, required.");
}

} // namespace wva_metrics::detail
