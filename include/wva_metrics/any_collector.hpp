// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/any_collector_model.hpp"
#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/completion.hpp"
#include "wva_metrics/concepts.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <concepts>
#include <cstddef>
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
/// The contract of each function is the contract of the collector inside; the comments here
/// describe `Collector`. A deferred operation that is started after the collector was destroyed
/// completes with `Errc::aborted`.
///
/// **Completion:** as `Collector`: a handler runs on its associated executor (default: the
/// collector's), never inside the initiating call except through its associated immediate executor.
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
        : collector_(std::make_shared<detail::AnyCollectorModel<C>>(std::move(collector))) {}
    /// A moved-from object may only be assigned to or destroyed.
    AnyCollector(AnyCollector&&) noexcept = default;
    /// Destroys the collector that was owned before.
    AnyCollector& operator=(AnyCollector&&) noexcept = default;
    /// Completes pending operations with `Errc::aborted`.
    ~AnyCollector() = default;

    /// Checks whether a model's metrics can be collected, and if not, why.
    ///
    /// **Parameters:** the model; a completion token for `void(Result<Availability>)`.
    /// **Completes:** at once from the cache; otherwise after the backend's answer or
    /// `call_timeout`.
    /// **Errors:** `aborted`, `invalid_argument`. If the backend fails, the result has the reason
    /// `backend_error`; that is no error.
    /// **Cancellation:** terminal, partial, total: completes with `aborted`; the fetch continues.
    /// **Threads:** any.
    template <asio::completion_token_for<void(Result<Availability>)> Token = asio::deferred_t>
    auto async_validate_availability(ModelKey model, Token&& token = Token()) {
        return initiate<Availability>(&Interface::validate_availability, token, std::move(model));
    }

    /// Collects one variant's load and latency metrics.
    ///
    /// **Parameters:** the variant with its deployment; a completion token for
    /// `void(Result<OptimizerSnapshot>)`.
    /// **Completes:** at once from the cache; otherwise after the backend's answer or
    /// `call_timeout`.
    /// **Errors:** the backend's; `timeout`, `aborted`, `invalid_argument`, `too_costly`.
    /// **Cancellation:** terminal, partial, total: completes with `aborted`; the fetch continues.
    /// **Threads:** any.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token = asio::deferred_t>
    auto async_collect_optimizer_metrics(VariantAutoscaling variant, Token&& token = Token()) {
        return initiate<OptimizerSnapshot>(&Interface::collect_optimizer_metrics, token,
                                           std::move(variant));
    }

    /// Collects one model's replicas, attributed to the caller's variants with their accelerators
    /// and costs.
    ///
    /// **Parameters:** the model; the caller's variants of it (others are ignored); a completion
    /// token for `void(Result<ReplicaSnapshot>)`.
    /// **Completes:** as `async_collect_optimizer_metrics`.
    /// **Errors:** as `async_collect_optimizer_metrics`.
    /// **Cancellation:** terminal, partial, total: completes with `aborted`; the fetch continues.
    /// **Threads:** any.
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token = asio::deferred_t>
    auto async_collect_replica_metrics(ModelKey model, std::vector<VariantAutoscaling> variants,
                                       Token&& token = Token()) {
        return initiate<ReplicaSnapshot>(&Interface::collect_replica_metrics, token,
                                         std::move(model), std::move(variants));
    }

    /// Returns what is known about a variant, without waiting or I/O.
    std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) {
        return collector_->find_optimizer_metrics(key);
    }
    /// Returns what is known about a model's replicas, without waiting or I/O, attributed to the
    /// caller's variants.
    std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants) {
        return collector_->find_replica_metrics(model, variants);
    }

    /// Fetches a variant's optimizer metrics in the background from the next round on.
    void track(const VariantAutoscaling& variant) { collector_->track(variant); }
    /// Fetches a model's replica metrics in the background from the next round on.
    void track(const ModelKey& model) { collector_->track(model); }
    /// Stops fetching a variant in the background and removes its entry.
    void untrack(const VariantKey& variant) { collector_->untrack(variant); }
    /// Stops fetching a model's replicas in the background and removes their entry.
    void untrack(const ModelKey& model) { collector_->untrack(model); }

    /// Starts background rounds. Returns false if they run already or are switched off.
    bool start_background_fetching() { return collector_->start_background_fetching(); }
    /// Starts no more rounds; a running round continues to its end. Idempotent.
    void stop_background_fetching() { collector_->stop_background_fetching(); }

    /// Removes the entries of a variant and of its model's replicas; returns how many.
    std::size_t invalidate_variant(const VariantAutoscaling& variant) {
        return collector_->invalidate_variant(variant);
    }
    /// Removes the entries of a model and all its variants; returns how many.
    std::size_t invalidate_model(const ModelKey& model) {
        return collector_->invalidate_model(model);
    }
    /// Removes all entries whose key begins with `prefix`; returns how many.
    std::size_t invalidate_prefix(std::string_view prefix) {
        return collector_->invalidate_prefix(prefix);
    }

    /// Applies a new configuration; cached entries and in-flight fetches are kept. An invalid one
    /// changes nothing and returns `Errc::invalid_config`.
    Result<void> reconfigure(const CollectorConfig& config) {
        return collector_->reconfigure(config);
    }
    /// A copy of the current configuration.
    CollectorConfig config() const { return collector_->config(); }

    /// Counters since the collector was made.
    CollectorStats stats() const { return collector_->stats(); }
    /// Whether the backend answers.
    CollectorHealth health() const { return collector_->health(); }
    /// Empty if the executor's context has been destroyed.
    executor_type get_executor() const { return collector_->get_executor(); }

private:
    using Interface = detail::AnyCollectorInterface;

    /// The initiation holds the collector weakly: a deferred operation may be started later, and
    /// must not keep the collector alive until then.
    template <typename T, typename Token, typename... Target>
    auto initiate(void (Interface::*operation)(detail::AnyHandler<T>, Target...), Token& token,
                  Target... target) {
        return asio::async_initiate<Token, void(Result<T>)>(
            [](auto handler, const std::weak_ptr<Interface>& collector,
               const asio::any_io_executor& executor, auto perform, Target... targets) {
                if (const auto alive = collector.lock())
                    ((*alive).*perform)(detail::AnyHandler<T>(std::move(handler)),
                                        std::move(targets)...);
                else
                    detail::complete_immediately<T>(executor, std::move(handler),
                                                    detail::collector_destroyed());
            },
            token, std::weak_ptr<Interface>(collector_), get_executor(), operation,
            std::move(target)...);
    }

    std::shared_ptr<Interface> collector_;
};

} // namespace wva_metrics
