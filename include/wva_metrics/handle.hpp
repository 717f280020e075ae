// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/handle_state.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace wva_metrics {

/// A variant that is read again and again: what it keeps leads to the cached metrics without a search
/// by name. Made by `Collector::handle`.
///
/// It holds no metrics: they may be replaced, evicted, invalidated and fetched anew, and each read gets
/// what is cached then. So keep one for as long as the variant is decided on. Copies are cheap, and
/// refer to the same.
///
/// **Errors:** an empty handle finds nothing. A handle of another collector works, but searches by
/// name, as one does that was made beyond `CollectorConfig::max_handles`.
///
/// **Lifetime:** it keeps neither its collector nor an entry alive, and may outlive both.
///
/// **Threads:** any number of threads may read by the same handle.
class VariantHandle : public detail::Handle<detail::OptimizerTarget> {
public:
    /// An empty handle.
    VariantHandle() = default;
    /// One that belongs to no collector. Throws `std::bad_alloc`.
    explicit VariantHandle(VariantAutoscaling variant)
        : Handle(detail::handle_state(detail::OptimizerTarget{std::move(variant)})) {}
    /// Made by a collector.
    explicit VariantHandle(std::shared_ptr<const detail::HandleState> state) noexcept
        : Handle(std::move(state)) {}

    /// The variant as it was when the handle was made. The handle must not be empty.
    const VariantAutoscaling& variant() const noexcept { return target().variant; }
};

/// A model whose replicas are read again and again. Otherwise as `VariantHandle`.
class ModelHandle : public detail::Handle<detail::ReplicaTarget> {
public:
    /// An empty handle.
    ModelHandle() = default;
    /// One that belongs to no collector. Throws `std::bad_alloc`.
    explicit ModelHandle(ModelKey model)
        : Handle(detail::handle_state(detail::ReplicaTarget{std::move(model)})) {}
    /// Made by a collector.
    explicit ModelHandle(std::shared_ptr<const detail::HandleState> state) noexcept
        : Handle(std::move(state)) {}

    /// The model. The handle must not be empty.
    const ModelKey& model() const noexcept { return target().model; }
};

/// A collector that gives handles, as `Collector` and `AnyCollector` do. `AnyCollector` searches by name
/// in one that gives none.
template <typename T>
concept HandleCollector = requires(T& collector, const VariantAutoscaling& variant,
                                   const ModelKey& model, const VariantHandle& variant_handle,
                                   const ModelHandle& model_handle,
                                   std::span<const VariantAutoscaling> variants,
                                   void (&on_variant)(const OptimizerView&),
                                   void (&on_model)(const ReplicaView&)) {
    { collector.handle(variant) } -> std::same_as<VariantHandle>;
    { collector.handle(model) } -> std::same_as<ModelHandle>;
    { collector.find(variant_handle) } -> std::same_as<std::optional<OptimizerSnapshot>>;
    { collector.find(model_handle, variants) } -> std::same_as<std::optional<ReplicaSnapshot>>;
    { collector.visit(variant_handle, on_variant) } -> std::same_as<bool>;
    { collector.visit(model_handle, variants, on_model) } -> std::same_as<bool>;
};

} // namespace wva_metrics
