// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/any_handler.hpp"
#include "wva_metrics/collector/detail/completion.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/cannot_diagnose.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/handle.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The functions of `MetricsCollector`, as `AnyCollector` calls them.
class AnyCollectorInterface {
public:
    ///@{
    /// A user's visitor. Made of a reference, it allocates nothing.
    using OptimizerVisitor = std::function<void(const OptimizerView&)>;
    using ReplicaVisitor = std::function<void(const ReplicaView&)>;
    ///@}

    virtual ~AnyCollectorInterface() = default;

    virtual void validate_availability(AnyHandler<Availability> handler, ModelKey model) = 0;
    virtual void collect_optimizer_metrics(AnyHandler<OptimizerSnapshot> handler,
                                           VariantAutoscaling variant) = 0;
    virtual void collect_replica_metrics(AnyHandler<ReplicaSnapshot> handler, ModelKey model,
                                         std::vector<VariantAutoscaling> variants) = 0;
    virtual void diagnose(AnyHandler<Diagnosis> handler, ModelKey model,
                          std::vector<VariantAutoscaling> variants) = 0;
    virtual std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) = 0;
    virtual std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants) = 0;
    virtual VariantHandle handle(VariantAutoscaling variant) = 0;
    virtual ModelHandle handle(ModelKey model) = 0;
    virtual std::optional<OptimizerSnapshot> find(const VariantHandle& variant) = 0;
    virtual std::optional<ReplicaSnapshot> find(const ModelHandle& model,
                                                std::span<const VariantAutoscaling> variants) = 0;
    virtual bool visit(const VariantHandle& variant, const OptimizerVisitor& visitor) = 0;
    virtual bool visit(const ModelHandle& model, std::span<const VariantAutoscaling> variants,
                       const ReplicaVisitor& visitor) = 0;
    virtual void collect_by_handle(AnyHandler<OptimizerSnapshot> handler,
                                   VariantHandle variant) = 0;
    virtual void collect_replicas_by_handle(AnyHandler<ReplicaSnapshot> handler, ModelHandle model,
                                            std::vector<VariantAutoscaling> variants) = 0;
    virtual bool track(const VariantAutoscaling& variant) = 0;
    virtual bool track(const ModelKey& model) = 0;
    virtual void untrack(const VariantKey& variant) = 0;
    virtual void untrack(const ModelKey& model) = 0;
    virtual bool start_background_fetching() = 0;
    virtual void stop_background_fetching() = 0;
    virtual std::size_t invalidate_variant(const VariantAutoscaling& variant) = 0;
    virtual std::size_t invalidate_model(const ModelKey& model) = 0;
    virtual std::size_t invalidate_prefix(std::string_view prefix) = 0;
    virtual Result<void> reconfigure(const CollectorConfig& config) = 0;
    virtual CollectorConfig config() const = 0;
    virtual CollectorStats stats() const = 0;
    virtual CollectorHealth health() const = 0;
    virtual asio::any_io_executor get_executor() const = 0;
};

/// Implements the interface with a collector.
template <MetricsCollector C>
class AnyCollectorModel final : public AnyCollectorInterface {
public:
    explicit AnyCollectorModel(C collector) : collector_(std::move(collector)) {}

    void validate_availability(AnyHandler<Availability> handler, ModelKey model) override {
        collector_.async_validate_availability(std::move(model), std::move(handler));
    }
    void collect_optimizer_metrics(AnyHandler<OptimizerSnapshot> handler,
                                   VariantAutoscaling variant) override {
        collector_.async_collect_optimizer_metrics(std::move(variant), std::move(handler));
    }
    void collect_replica_metrics(AnyHandler<ReplicaSnapshot> handler, ModelKey model,
                                 std::vector<VariantAutoscaling> variants) override {
        collector_.async_collect_replica_metrics(std::move(model), std::move(variants),
                                                 std::move(handler));
    }
    void diagnose(AnyHandler<Diagnosis> handler, ModelKey model,
                  std::vector<VariantAutoscaling> variants) override {
        if constexpr (DiagnosingCollector<C>)
            collector_.async_diagnose(std::move(model), std::move(variants), std::move(handler));
        else
            complete_immediately<Diagnosis>(collector_.get_executor(), std::move(handler),
                                            cannot_diagnose());
    }
    std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) override {
        return collector_.find_optimizer_metrics(key);
    }
    std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model,
                         std::span<const VariantAutoscaling> variants) override {
        return collector_.find_replica_metrics(model, variants);
    }
    VariantHandle handle(VariantAutoscaling variant) override {
        if constexpr (HandleCollector<C>)
            return collector_.handle(std::move(variant));
        else
            return VariantHandle(std::move(variant));
    }
    ModelHandle handle(ModelKey model) override {
        if constexpr (HandleCollector<C>)
            return collector_.handle(std::move(model));
        else
            return ModelHandle(std::move(model));
    }
    std::optional<OptimizerSnapshot> find(const VariantHandle& variant) override {
        if constexpr (HandleCollector<C>)
            return collector_.find(variant);
        else
            return variant ? collector_.find_optimizer_metrics(variant.variant().key())
                           : std::nullopt;
    }
    std::optional<ReplicaSnapshot> find(const ModelHandle& model,
                                        std::span<const VariantAutoscaling> variants) override {
        if constexpr (HandleCollector<C>)
            return collector_.find(model, variants);
        else
            return model ? collector_.find_replica_metrics(model.model(), variants) : std::nullopt;
    }
    bool visit(const VariantHandle& variant, const OptimizerVisitor& visitor) override {
        if constexpr (HandleCollector<C>)
            return collector_.visit(variant, visitor);
        else
            return visit_snapshot(find(variant), visitor);
    }
    bool visit(const ModelHandle& model, std::span<const VariantAutoscaling> variants,
               const ReplicaVisitor& visitor) override {
        if constexpr (HandleCollector<C>)
            return collector_.visit(model, variants, visitor);
        else
            return visit_snapshot(find(model, variants), visitor);
    }
    void collect_by_handle(AnyHandler<OptimizerSnapshot> handler, VariantHandle variant) override {
        if constexpr (HandleCollector<C>)
            collector_.async_collect(std::move(variant), std::move(handler));
        else
            collector_.async_collect_optimizer_metrics(
                variant ? variant.variant() : VariantAutoscaling(), std::move(handler));
    }
    void collect_replicas_by_handle(AnyHandler<ReplicaSnapshot> handler, ModelHandle model,
                                    std::vector<VariantAutoscaling> variants) override {
        if constexpr (HandleCollector<C>)
            collector_.async_collect(std::move(model), std::move(variants), std::move(handler));
        else
            collector_.async_collect_replica_metrics(model ? model.model() : ModelKey(),
                                                     std::move(variants), std::move(handler));
    }
    bool track(const VariantAutoscaling& variant) override { return collector_.track(variant); }
    bool track(const ModelKey& model) override { return collector_.track(model); }
    void untrack(const VariantKey& variant) override { collector_.untrack(variant); }
    void untrack(const ModelKey& model) override { collector_.untrack(model); }
    bool start_background_fetching() override { return collector_.start_background_fetching(); }
    void stop_background_fetching() override { collector_.stop_background_fetching(); }
    std::size_t invalidate_variant(const VariantAutoscaling& variant) override {
        return collector_.invalidate_variant(variant);
    }
    std::size_t invalidate_model(const ModelKey& model) override {
        return collector_.invalidate_model(model);
    }
    std::size_t invalidate_prefix(std::string_view prefix) override {
        return collector_.invalidate_prefix(prefix);
    }
    Result<void> reconfigure(const CollectorConfig& config) override {
        return collector_.reconfigure(config);
    }
    CollectorConfig config() const override { return collector_.config(); }
    CollectorStats stats() const override { return collector_.stats(); }
    CollectorHealth health() const override { return collector_.health(); }
    asio::any_io_executor get_executor() const override { return collector_.get_executor(); }

private:
    template <typename Metrics, typename Visitor>
    static bool visit_snapshot(const std::optional<Snapshot<Metrics>>& snapshot,
                               const Visitor& visitor) {
        if (snapshot)
            visitor(SnapshotView<Metrics>(*snapshot));
        return snapshot.has_value();
    }

    C collector_;
};

} // namespace wva_metrics::detail
