// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/any_collector_model.hpp"
#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/completion.hpp"
#include "wva_metrics/collector/detail/shared_executor.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/handle.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Any collector, chosen at run time: owns a `Collector` with any policies, or anything else that
/// satisfies `MetricsCollector`, and offers the same operations for one indirect call each.
///
/// The contract of each function is the contract of the collector inside. A deferred operation that
/// is started after the collector was destroyed completes with `Errc::aborted`.
///
/// **Completion:** as `Collector`.
///
/// **Threads:** every public function may be called from any thread at any time, except that the
/// collector must not be destroyed or moved from while another thread is inside one.
class AnyCollector {
public:
    /// The executor's type, under the name that Asio looks up.
    using executor_type = asio::any_io_executor;

    /// Takes ownership of a collector. Implicit, so that a function that returns an `AnyCollector`,
    /// or a result of one, may return any collector.
    template <typename C>
        requires(!std::same_as<C, AnyCollector> && MetricsCollector<C>)
    AnyCollector(C collector)
        : executor_(std::make_shared<const detail::WatchedExecutor>(collector.get_executor())),
          collector_(std::make_shared<detail::AnyCollectorModel<C>>(std::move(collector))) {}
    /// A moved-from object may only be assigned to or destroyed.
    AnyCollector(AnyCollector&&) noexcept = default;
    /// Destroys the collector that was owned before.
    AnyCollector& operator=(AnyCollector&&) noexcept = default;
    /// Completes pending operations with `Errc::aborted`.
    ~AnyCollector() = default;

    /// As `Collector::async_validate_availability`.
    template <asio::completion_token_for<void(Result<Availability>)> Token = asio::deferred_t>
    auto async_validate_availability(ModelKey model, Token&& token = Token()) {
        return initiate<Availability>(&Interface::validate_availability, token, std::move(model));
    }

    /// As `Collector::async_collect_optimizer_metrics`.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token = asio::deferred_t>
    auto async_collect_optimizer_metrics(VariantAutoscaling variant, Token&& token = Token()) {
        return initiate<OptimizerSnapshot>(&Interface::collect_optimizer_metrics, token,
                                           std::move(variant));
    }

    /// As `Collector::async_collect_replica_metrics`.
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token = asio::deferred_t>
    auto async_collect_replica_metrics(ModelKey model, std::vector<VariantAutoscaling> variants,
                                       Token&& token = Token()) {
        return initiate<ReplicaSnapshot>(&Interface::collect_replica_metrics, token,
                                         std::move(model), std::move(variants));
    }

    ///@{
    /// As `Collector::async_collect`.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token = asio::deferred_t>
    auto async_collect(VariantHandle variant, Token&& token = Token()) {
        return initiate<OptimizerSnapshot>(&Interface::collect_by_handle, token,
                                           std::move(variant));
    }
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token = asio::deferred_t>
    auto async_collect(ModelHandle model, std::vector<VariantAutoscaling> variants,
                       Token&& token = Token()) {
        return initiate<ReplicaSnapshot>(&Interface::collect_replicas_by_handle, token,
                                         std::move(model), std::move(variants));
    }
    ///@}

    /// As `Collector::async_diagnose`, and with `Errc::invalid_config` if the collector inside has no
    /// `DiagnosingBackend`.
    template <asio::completion_token_for<void(Result<Diagnosis>)> Token = asio::deferred_t>
    auto async_diagnose(ModelKey model, std::vector<VariantAutoscaling> variants,
                        Token&& token = Token()) {
        return initiate<Diagnosis>(&Interface::diagnose, token, std::move(model),
                                   std::move(variants));
    }

    /// As `Collector::find_optimizer_metrics`.
    std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) {
        return collector_->find_optimizer_metrics(key);
    }
    /// As `Collector::find_replica_metrics`.
    std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants) {
        return collector_->find_replica_metrics(model, variants);
    }

    ///@{
    /// As in `CachedReads`, with a reference counted.
    template <typename Visitor>
    bool visit_optimizer_metrics(const VariantKey& key, Visitor&& visitor) {
        return visit_snapshot(find_optimizer_metrics(key), visitor);
    }
    template <typename Visitor>
    bool visit_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants,
                               Visitor&& visitor) {
        return visit_snapshot(find_replica_metrics(model, variants), visitor);
    }
    ///@}
    ///@{
    /// As `CachedReads::handle`.
    VariantHandle handle(VariantAutoscaling variant) {
        return collector_->handle(std::move(variant));
    }
    ModelHandle handle(ModelKey model) { return collector_->handle(std::move(model)); }
    ///@}
    ///@{
    /// As `CachedReads::find`.
    std::optional<OptimizerSnapshot> find(const VariantHandle& variant) {
        return collector_->find(variant);
    }
    std::optional<ReplicaSnapshot> find(const ModelHandle& model,
                                        std::span<const VariantAutoscaling> variants) {
        return collector_->find(model, variants);
    }
    ///@}
    ///@{
    /// As `CachedReads::visit`.
    template <typename Visitor>
    bool visit(const VariantHandle& variant, Visitor&& visitor) {
        return collector_->visit(variant, std::ref(visitor));
    }
    template <typename Visitor>
    bool visit(const ModelHandle& model, std::span<const VariantAutoscaling> variants,
               Visitor&& visitor) {
        return collector_->visit(model, variants, std::ref(visitor));
    }
    ///@}

    /// As `Collector::track`.
    bool track(const VariantAutoscaling& variant) { return collector_->track(variant); }
    /// As `Collector::track`.
    bool track(const ModelKey& model) { return collector_->track(model); }
    /// As `Collector::untrack`.
    void untrack(const VariantKey& variant) { collector_->untrack(variant); }
    /// As `Collector::untrack`.
    void untrack(const ModelKey& model) { collector_->untrack(model); }

    /// As `Collector::start_background_fetching`.
    bool start_background_fetching() { return collector_->start_background_fetching(); }
    /// As `Collector::stop_background_fetching`.
    void stop_background_fetching() { collector_->stop_background_fetching(); }

    /// As `Collector::invalidate_variant`.
    std::size_t invalidate_variant(const VariantAutoscaling& variant) {
        return collector_->invalidate_variant(variant);
    }
    /// As `Collector::invalidate_model`.
    std::size_t invalidate_model(const ModelKey& model) {
        return collector_->invalidate_model(model);
    }
    /// As `Collector::invalidate_prefix`.
    std::size_t invalidate_prefix(std::string_view prefix) {
        return collector_->invalidate_prefix(prefix);
    }

    /// As `Collector::reconfigure`.
    Result<void> reconfigure(const CollectorConfig& config) {
        return collector_->reconfigure(config);
    }
    /// As `Collector::config`.
    CollectorConfig config() const { return collector_->config(); }

    /// As `Collector::stats`.
    CollectorStats stats() const { return collector_->stats(); }
    /// As `Collector::health`.
    CollectorHealth health() const { return collector_->health(); }
    /// As `Collector::get_executor`.
    executor_type get_executor() const { return collector_->get_executor(); }

private:
    using Interface = detail::AnyCollectorInterface;

    template <typename Metrics, typename Visitor>
    static bool visit_snapshot(const std::optional<Snapshot<Metrics>>& snapshot, Visitor& visitor) {
        if (snapshot)
            std::invoke(visitor, SnapshotView<Metrics>(*snapshot));
        return snapshot.has_value();
    }

    /// The initiation holds the collector weakly: a deferred operation may be started later, and
    /// must not keep the collector alive until then. Its executor may be gone too by then.
    template <typename T, typename Token, typename... Target>
    auto initiate(void (Interface::*operation)(detail::AnyHandler<T>, Target...), Token& token,
                  Target... target) {
        return asio::async_initiate<Token, void(Result<T>)>(
            [](auto handler, const std::weak_ptr<Interface>& collector,
               const std::shared_ptr<const detail::WatchedExecutor>& executor, auto perform,
               Target... targets) {
                if (const auto alive = collector.lock())
                    ((*alive).*perform)(detail::AnyHandler<T>(std::move(handler)),
                                        std::move(targets)...);
                else
                    detail::complete_immediately<T>(executor->get(), std::move(handler),
                                                    detail::collector_destroyed());
            },
            token, std::weak_ptr<Interface>(collector_), executor_, operation,
            std::move(target)...);
    }

    std::shared_ptr<const detail::WatchedExecutor> executor_;
    std::shared_ptr<Interface> collector_;
};

} // namespace wva_metrics
