// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/can_diagnose.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/cannot_diagnose.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics {

/// A backend of any type, chosen at run time. Owns a backend and is one. Costs one indirect call
/// per batch.
///
/// A moved-from object may only be assigned to or destroyed.
///
/// **Errors:** those of the backend inside.
///
/// **Cancellation:** terminal: passed on to the backend inside.
///
/// **Threads:** safe, because the backend inside may be called concurrently, as its concept
/// requires.
class AnyBackend {
public:
    /// Takes over a backend. Implicit, so that a function can return any backend as an `AnyBackend`
    /// or as a `Result<AnyBackend>`.
    template <typename Backend>
        requires(!std::same_as<Backend, AnyBackend> && MetricsBackend<Backend>)
    AnyBackend(Backend backend) : AnyBackend(std::make_shared<Backend>(std::move(backend))) {}

    AnyBackend(AnyBackend&&) noexcept = default;            ///< Takes over the backend inside.
    AnyBackend& operator=(AnyBackend&&) noexcept = default; ///< As the move constructor.

    /// Calls `check_availability` of the backend inside.
    ///
    /// **Completes:** with its answer.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<Availability>> check_availability(const ModelKey& model) {
        return check_availability_(model);
    }
    /// Calls `fetch_optimizer_metrics` of the backend inside, with the priority if it is a
    /// `PrioritizingBackend`.
    ///
    /// **Completes:** with one answer per variant, in order.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(const std::vector<VariantAutoscaling>& variants,
                            Priority priority = Priority::interactive) {
        return fetch_optimizer_metrics_(variants, priority);
    }
    /// Calls `fetch_replica_samples` of the backend inside, with the priority if it is a
    /// `PrioritizingBackend`.
    ///
    /// **Completes:** with one answer per model, in order.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(const std::vector<ModelKey>& models,
                          Priority priority = Priority::interactive) {
        return fetch_replica_samples_(models, priority);
    }

    /// Calls `diagnose` of the backend inside.
    ///
    /// **Completes:** with its answer.
    ///
    /// **Errors:** `invalid_config` if it is not a `DiagnosingBackend`; see the class.
    ///
    /// **Cancellation, threads:** see the class.
    asio::awaitable<Result<Diagnosis>> diagnose(const ModelKey& model,
                                                const std::vector<VariantAutoscaling>& variants) {
        return diagnose_(model, variants);
    }
    /// True if the backend inside can say why a model has no metrics. Any thread.
    bool can_diagnose() const noexcept { return can_diagnose_; }

    /// Calls `add_protection_listener` of the backend inside; does nothing if it is not a
    /// `ProtectedBackend`. Any thread.
    void add_protection_listener(std::weak_ptr<const resilience::ProtectionListener> listener) {
        add_protection_listener_(std::move(listener));
    }

private:
    template <typename Output, typename... Inputs>
    using Function = std::function<asio::awaitable<Output>(const Inputs&...)>;
    using DiagnoseFunction = Function<Result<Diagnosis>, ModelKey, std::vector<VariantAutoscaling>>;

    template <typename Backend>
    static DiagnoseFunction diagnose_of(const std::shared_ptr<Backend>& held) {
        if constexpr (DiagnosingBackend<Backend>)
            return [held](const auto& model, const auto& variants) {
                return held->diagnose(model, variants);
            };
        else
            return [](const auto&, const auto&) { return refuse_to_diagnose<Backend>(); };
    }
    /// A template, so that it is compiled only where it is used.
    template <typename Backend>
    static asio::awaitable<Result<Diagnosis>> refuse_to_diagnose() {
        co_return detail::cannot_diagnose();
    }

    template <typename Backend>
    explicit AnyBackend(const std::shared_ptr<Backend>& held)
        : check_availability_(
              [held](const auto& model) { return held->check_availability(model); }),
          fetch_optimizer_metrics_([held](const auto& variants, Priority priority) {
              if constexpr (PrioritizingBackend<Backend>)
                  return held->fetch_optimizer_metrics(variants, priority);
              else
                  return held->fetch_optimizer_metrics(variants);
          }),
          fetch_replica_samples_([held](const auto& models, Priority priority) {
              if constexpr (PrioritizingBackend<Backend>)
                  return held->fetch_replica_samples(models, priority);
              else
                  return held->fetch_replica_samples(models);
          }),
          diagnose_(diagnose_of(held)), can_diagnose_(detail::can_diagnose(*held)),
          add_protection_listener_([held](auto listener) {
              if constexpr (ProtectedBackend<Backend>)
                  held->add_protection_listener(std::move(listener));
          }) {}

    Function<Result<Availability>, ModelKey> check_availability_;
    Function<std::vector<Result<OptimizerMetrics>>, std::vector<VariantAutoscaling>, Priority>
        fetch_optimizer_metrics_;
    Function<std::vector<Result<ReplicaSamples>>, std::vector<ModelKey>, Priority>
        fetch_replica_samples_;
    DiagnoseFunction diagnose_;
    bool can_diagnose_;
    std::function<void(std::weak_ptr<const resilience::ProtectionListener>)>
        add_protection_listener_;
};

} // namespace wva_metrics
