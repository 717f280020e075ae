// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/any_collector_model.hpp"
#include "wva_metrics/concepts.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/prepend.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Any collector, chosen at run time: owns a `Collector` with whatever backend, cache and observer,
/// or anything else that satisfies `MetricsCollector`, and offers the same operations, at the cost
/// of one indirect call each.
///
/// What each function promises is what the collector inside promises; the comments here say what
/// `Collector` does. An operation that was deferred and is begun when the collector has been
/// destroyed completes with `Errc::aborted`.
///
/// **Thread safety:** every public function may be called from any thread at any time, except that
/// the collector must not be destroyed or moved from while another thread is inside one.
class AnyCollector {
public:
    /// The executor that the collector works on.
    using executor_type = asio::any_io_executor;

    /// Takes a collector over. Implicit, so that a function that returns an `AnyCollector`, or a
    /// result of one, may return whichever it has made.
    template <typename C>
        requires(!std::same_as<C, AnyCollector> && MetricsCollector<C>)
    AnyCollector(C collector)
        : collector_(std::make_shared<detail::AnyCollectorModel<C>>(std::move(collector))) {}
    /// Nothing but assignment and destruction may follow for the one moved from.
    AnyCollector(AnyCollector&&) noexcept = default;
    /// Destroys the collector that was owned before.
    AnyCollector& operator=(AnyCollector&&) noexcept = default;
    /// Completes what is pending with `Errc::aborted`.
    ~AnyCollector() = default;

    /// Can a model's metrics be collected, and if not, why?
    ///
    /// Params: the model; a completion token for `void(Result<Availability>)`.
    /// Completes when: at once from the cache, else when the backend has answered or `call_timeout`
    /// has passed. Errors: `aborted`, `invalid_argument`; a failing backend is an availability with
    /// reason `backend_error`. Cancellation: terminal, partial, total: this caller leaves with
    /// `aborted`; the fetch goes on for others. Thread safety: any thread.
    template <asio::completion_token_for<void(Result<Availability>)> Token>
    auto async_validate_availability(ModelKey model, Token&& token) {
        return begin<Availability>(&Interface::validate_availability, token, std::move(model));
    }

    /// Collects what one variant is asked to do and how well it does it.
    ///
    /// Params: the variant with its deployment; a completion token for
    /// `void(Result<OptimizerSnapshot>)`. Completes when: at once from the cache, else when the
    /// backend has answered or `call_timeout` has passed. Errors: those of the backend, `timeout`,
    /// `aborted`, `invalid_argument`, `too_costly`. Cancellation: terminal, partial, total: this
    /// caller leaves with `aborted`; the fetch goes on for others. Thread safety: any thread.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token>
    auto async_collect_optimizer_metrics(VariantAutoscaling variant, Token&& token) {
        return begin<OptimizerSnapshot>(&Interface::collect_optimizer_metrics, token,
                                        std::move(variant));
    }

    /// Collects the replicas of one model, joined with the caller's variants, their accelerators
    /// and costs.
    ///
    /// Params: the model; the caller's variants of it (others are ignored); a completion token for
    /// `void(Result<ReplicaSnapshot>)`. Completes when, errors, cancellation, thread safety: as
    /// `async_collect_optimizer_metrics`.
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token>
    auto async_collect_replica_metrics(ModelKey model, std::vector<VariantAutoscaling> variants,
                                       Token&& token) {
        return begin<ReplicaSnapshot>(&Interface::collect_replica_metrics, token, std::move(model),
                                      std::move(variants));
    }

    /// What is known of a variant now, without waiting or I/O.
    std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) {
        return collector_->find_optimizer_metrics(key);
    }
    /// What is known of a model's replicas now, without waiting or I/O, joined with the caller's
    /// variants.
    std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants) {
        return collector_->find_replica_metrics(model, variants);
    }

    /// Fetches a variant's optimizer metrics in the background from the next round on.
    void track(const VariantAutoscaling& variant) { collector_->track(variant); }
    /// Fetches a model's replica metrics in the background from the next round on.
    void track(const ModelKey& model) { collector_->track(model); }
    /// Forgets a variant and what is cached of it; an answer under way is not cached.
    void untrack(const VariantKey& variant) { collector_->untrack(variant); }
    /// Forgets a model's replicas likewise.
    void untrack(const ModelKey& model) { collector_->untrack(model); }

    /// Begins background rounds. False where they run already or are switched off.
    bool start_background_fetching() { return collector_->start_background_fetching(); }
    /// No round begins after this; one under way goes on to its end. Idempotent.
    void stop_background_fetching() { collector_->stop_background_fetching(); }

    /// Removes what is cached of a variant and of its model's replicas; returns how many entries.
    std::size_t invalidate_variant(const VariantAutoscaling& variant) {
        return collector_->invalidate_variant(variant);
    }
    /// Removes what is cached of a model and all its variants; returns how many entries.
    std::size_t invalidate_model(const ModelKey& model) {
        return collector_->invalidate_model(model);
    }
    /// Removes every entry whose key begins like this; returns how many.
    std::size_t invalidate_prefix(std::string_view prefix) {
        return collector_->invalidate_prefix(prefix);
    }

    /// Works by another configuration from now on, without losing what is cached or under way; or
    /// changes nothing and gives `Errc::invalid_config`.
    Result<void> reconfigure(const CollectorConfig& config) {
        return collector_->reconfigure(config);
    }
    /// A copy of what holds now.
    CollectorConfig config() const { return collector_->config(); }

    /// What has been counted since the collector was made.
    CollectorStats stats() const { return collector_->stats(); }
    /// Whether the backend answers.
    CollectorHealth health() const { return collector_->health(); }
    /// Empty where the executor's context has been destroyed.
    executor_type get_executor() const { return collector_->get_executor(); }

private:
    using Interface = detail::AnyCollectorInterface;

    /// The operation may be begun later than this is called, by `asio::deferred` for example, and
    /// must not keep the collector alive until then.
    template <typename T, typename Token, typename... Question>
    auto begin(void (Interface::*operation)(detail::AnyHandler<T>, Question...), Token& token,
               Question... question) {
        return asio::async_initiate<Token, void(Result<T>)>(
            [](auto handler, const std::weak_ptr<Interface>& collector,
               const asio::any_io_executor& executor, auto perform, Question... asked) {
                if (const auto alive = collector.lock())
                    return ((*alive).*perform)(detail::AnyHandler<T>(std::move(handler)),
                                               std::move(asked)...);
                const auto immediate = asio::get_associated_immediate_executor(handler, executor);
                Result<T> aborted = Error(Errc::aborted, "the collector has been destroyed");
                asio::dispatch(immediate, asio::prepend(std::move(handler), std::move(aborted)));
            },
            token, std::weak_ptr<Interface>(collector_), get_executor(), operation,
            std::move(question)...);
    }

    std::shared_ptr<Interface> collector_;
};

} // namespace wva_metrics
