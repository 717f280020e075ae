// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

/// How much memory objects take on the heap, apart from their own size.
namespace wva_metrics::detail {

/// One allocation of this size, with what the allocator adds: a word, rounded up to two, as glibc
/// does.
constexpr std::size_t heap_bytes(std::size_t size) noexcept {
    constexpr std::size_t word = sizeof(void*);
    const std::size_t block = (size + word + 2 * word - 1) / (2 * word) * (2 * word);
    return std::max(block, 4 * word);
}

/// One object made by `std::make_shared`, apart from what the object itself holds on the heap.
template <typename T>
constexpr std::size_t shared_bytes() noexcept {
    constexpr std::size_t counts = 2 * sizeof(void*);
    return heap_bytes(counts + sizeof(T));
}

inline std::size_t heap_bytes(const std::string& text) noexcept {
    return text.capacity() > std::string().capacity() ? heap_bytes(text.capacity() + 1) : 0;
}
inline std::size_t heap_bytes(const ModelKey& model) noexcept {
    return heap_bytes(model.namespace_name) + heap_bytes(model.model_id);
}
inline std::size_t heap_bytes(const VariantAutoscaling& variant) noexcept {
    return heap_bytes(variant.namespace_name) + heap_bytes(variant.name) +
           heap_bytes(variant.model_id) + heap_bytes(variant.deployment) +
           heap_bytes(variant.accelerator) + heap_bytes(variant.target_kind);
}
inline std::size_t heap_bytes(const OptionalReadings& readings) noexcept {
    const std::size_t entries = readings.entries().capacity();
    return entries == 0 ? 0 : heap_bytes(entries * sizeof(OptionalReadings::Entry));
}
inline std::size_t heap_bytes(const ReplicaSample& sample) noexcept {
    return heap_bytes(sample.pod) + heap_bytes(sample.engine) + heap_bytes(sample.optional) +
           (sample.owner ? heap_bytes(sample.owner->kind) + heap_bytes(sample.owner->name) : 0);
}
inline std::size_t heap_bytes(const ReplicaMetrics& replica) noexcept {
    return heap_bytes(replica.pod) + heap_bytes(replica.namespace_name) +
           heap_bytes(replica.model_id) + heap_bytes(replica.variant) +
           heap_bytes(replica.deployment) + heap_bytes(replica.accelerator) +
           heap_bytes(replica.engine) + heap_bytes(replica.optional);
}
/// A vector of any of these.
template <typename T>
std::size_t heap_bytes(const std::vector<T>& objects) noexcept {
    std::size_t bytes = objects.capacity() == 0 ? 0 : heap_bytes(objects.capacity() * sizeof(T));
    for (const T& object : objects)
        bytes += heap_bytes(object);
    return bytes;
}

inline std::size_t heap_bytes(const OptimizerMetrics& metrics) noexcept {
    return heap_bytes(metrics.namespace_name) + heap_bytes(metrics.variant) +
           heap_bytes(metrics.model_id) + heap_bytes(metrics.deployment) +
           heap_bytes(metrics.target_kind) + heap_bytes(metrics.warnings) +
           heap_bytes(metrics.coverage.missing) + heap_bytes(metrics.optional);
}
inline std::size_t heap_bytes(const ReplicaSamples& samples) noexcept {
    return heap_bytes(samples.model) + heap_bytes(samples.pods) + heap_bytes(samples.gone_pods) +
           heap_bytes(samples.warnings);
}
inline std::size_t heap_bytes(const ModelReplicas& replicas) noexcept {
    return heap_bytes(replicas.model) + heap_bytes(replicas.replicas) +
           heap_bytes(replicas.unattributed_pods) + heap_bytes(replicas.gone_pods) +
           heap_bytes(replicas.warnings);
}
inline std::size_t heap_bytes(const Availability& availability) noexcept {
    return heap_bytes(availability.message);
}

} // namespace wva_metrics::detail
