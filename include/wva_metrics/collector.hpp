// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cached_reads.hpp"
#include "wva_metrics/collector/detail/collect.hpp"
#include "wva_metrics/collector/detail/collector_impl.hpp"
#include "wva_metrics/collector/detail/diagnosis_call.hpp"
#include "wva_metrics/collector/detail/snapshots.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/observer/observer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Collects the metrics that an autoscaler decides on: fetches them from a backend, caches the
/// answers, and revalidates them before they are requested again.
///
/// `Backend` is the source of the data, `CachePolicy` stores the answers, `Observer` receives the
/// events. `Timer` is replaced only in tests. What is known already is read with the functions of
/// `CachedReads`, which wait for nothing.
///
/// **Completion:** every asynchronous operation completes with a `Result<T>`, once. It throws only if
/// memory is short, and then does not complete. After a miss the handler is posted to the
/// collector's executor, which dispatches it to its associated executor (default: the collector's).
/// On a hit or an invalid argument it is dispatched through its associated immediate executor, which
/// by default does not run it inside the call. A future is completed by a thread that runs the
/// collector's executor. Every completion is `void(Result<T>)`, so Asio's `||` and parallel groups
/// see errors as completions, not as exceptions. Without a token, an operation can be awaited:
/// `co_await collector.async_collect_optimizer_metrics(variant)`.
///
/// **Threads:** every public function may be called from any thread at any time, except that the
/// collector must not be destroyed or moved from while another thread is inside one. The collector
/// starts no thread: it works on its executor, on one thread or many.
///
/// **Lifetime:** destroying the collector completes pending operations with `Errc::aborted` and
/// cancels fetches. The executor's context may be stopped, restarted or destroyed at any time,
/// before or after the collector. Handlers that wait then are destroyed with the context. A handler
/// of a later operation gets a hit or `Errc::aborted` on its own executor, which must be alive; one
/// without an executor of its own is destroyed.
template <MetricsBackend Backend, MetricsCache CachePolicy,
          CollectorObserver Observer = NullObserver, typename Timer = asio::steady_timer>
class Collector : public CachedReads<detail::CollectorImpl<Backend, CachePolicy, Observer, Timer>> {
    using Impl = detail::CollectorImpl<Backend, CachePolicy, Observer, Timer>;
    using Reads = CachedReads<Impl>;
    using Reads::impl_;

public:
    /// The executor's type, under the name that Asio looks up.
    using executor_type = asio::any_io_executor;
    /// The backend's type.
    using backend_type = Backend;
    /// The cache's type.
    using cache_type = CachePolicy;
    /// The observer's type.
    using observer_type = Observer;

    /// Throws `ResultError` with `Errc::invalid_config` and all problems that `validate(config)`
    /// finds.
    explicit Collector(const asio::any_io_executor& executor, Backend backend,
                       const CollectorConfig& config = {}, Observer observer = {})
        : Reads(Impl::make(executor, std::move(backend), detail::checked(config, "collector"),
                           std::move(observer))) {}

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of the collector's work.
    /// - `backend`, `observer`: the policies; the cache is made from `config.cache`.
    /// - `config`: times and limits.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<Collector> make(const asio::any_io_executor& executor, Backend backend,
                                  const CollectorConfig& config = {}, Observer observer = {}) {
        return detail::make_result<Collector>(executor, std::move(backend), config,
                                              std::move(observer));
    }
    /// A moved-from collector may only be assigned to or destroyed.
    Collector(Collector&&) noexcept = default;
    /// Ends the operations of this collector as the destructor does.
    Collector& operator=(Collector&& other) noexcept {
        if (this != &other) {
            if (impl_)
                impl_->close();
            impl_ = std::move(other.impl_);
        }
        return *this;
    }
    /// Completes pending operations with `Errc::aborted`.
    ~Collector() {
        if (impl_)
            impl_->close();
    }

    /// Checks whether a model's metrics can be collected, and if not, why.
    ///
    /// **Parameters:** the model; a completion token for `void(Result<Availability>)`.
    ///
    /// **Completes:** immediately from the cache; otherwise after the backend's answer or
    /// `call_timeout`. If the model is not available, that is cached for `negative_ttl` only, and is
    /// never served stale. A cached
    /// answer counts only while the model's replicas, as last fetched, agree with it; if they were
    /// not fetched since, for `partial_ttl`. `checked_at` is the time of the answer.
    ///
    /// **Errors:** `aborted`, `invalid_argument`. If the backend fails, that is no error, but the
    /// reason `backend_error`, whose message has the error; no series is `metrics_missing`. Within
    /// the stale-if-error window `available` is then what the last good answer said, and `source` is
    /// `stale_on_error`.
    ///
    /// **Cancellation:** terminal, partial, total: completes with `aborted`; the fetch continues.
    ///
    /// **Threads:** any thread.
    template <asio::completion_token_for<void(Result<Availability>)> Token = asio::deferred_t>
    auto async_validate_availability(ModelKey model, Token&& token = Token()) {
        return asio::async_initiate<Token, void(Result<Availability>)>(
            detail::Collect<Availability>(), token, impl_,
            detail::AvailabilityTarget{std::move(model)}, detail::ToAvailability());
    }

    /// Collects one variant's load and latency metrics.
    ///
    /// **Parameters:** the variant with its deployment; a completion token for
    /// `void(Result<OptimizerSnapshot>)`.
    ///
    /// **Completes:** immediately from the cache, also past the TTL within the
    /// `stale_while_revalidate` window, while the entry is revalidated in the background; otherwise
    /// after the backend's answer or `call_timeout`. Concurrent calls for the same target share one
    /// fetch; concurrent fetches share one batch.
    ///
    /// **Errors:** `aborted`, `invalid_argument`. If no last good value is within the stale-if-error
    /// window: also the backend's, `timeout`, and `unavailable` (more than `max_waiters` callers
    /// wait).
    ///
    /// **Cancellation:** terminal, partial, total: completes with `aborted`; the fetch continues.
    ///
    /// **Threads:** any thread.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token = asio::deferred_t>
    auto async_collect_optimizer_metrics(VariantAutoscaling variant, Token&& token = Token()) {
        return asio::async_initiate<Token, void(Result<OptimizerSnapshot>)>(
            detail::Collect<OptimizerSnapshot>(), token, impl_,
            detail::OptimizerTarget{std::move(variant)}, detail::ToOptimizerSnapshot());
    }

    /// Collects one model's replicas, attributed to the caller's variants with their accelerators
    /// and costs. The cache holds the pods' samples, so callers with other variants or costs get
    /// their own attribution of the same samples.
    ///
    /// **Parameters:** the model; the caller's variants of it (others are ignored); a completion
    /// token for `void(Result<ReplicaSnapshot>)`.
    ///
    /// **Completes:** as `async_collect_optimizer_metrics`.
    ///
    /// **Errors:** as `async_collect_optimizer_metrics`.
    ///
    /// **Cancellation:** terminal, partial, total: completes with `aborted`; the fetch continues.
    ///
    /// **Threads:** any thread.
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token = asio::deferred_t>
    auto async_collect_replica_metrics(ModelKey model, std::vector<VariantAutoscaling> variants,
                                       Token&& token = Token()) {
        return asio::async_initiate<Token, void(Result<ReplicaSnapshot>)>(
            detail::Collect<ReplicaSnapshot>(), token, impl_,
            detail::ReplicaTarget{std::move(model)},
            detail::ToReplicaSnapshot{std::move(variants)});
    }

    ///@{
    /// As `async_collect_optimizer_metrics` and `async_collect_replica_metrics`, by handle.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token = asio::deferred_t>
    auto async_collect(VariantHandle variant, Token&& token = Token()) {
        return asio::async_initiate<Token, void(Result<OptimizerSnapshot>)>(
            detail::Collect<OptimizerSnapshot>(), token, impl_,
            detail::HandleTarget<detail::OptimizerTarget>{std::move(variant)},
            detail::ToOptimizerSnapshot());
    }
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token = asio::deferred_t>
    auto async_collect(ModelHandle model, std::vector<VariantAutoscaling> variants,
                       Token&& token = Token()) {
        return asio::async_initiate<Token, void(Result<ReplicaSnapshot>)>(
            detail::Collect<ReplicaSnapshot>(), token, impl_,
            detail::HandleTarget<detail::ReplicaTarget>{std::move(model)},
            detail::ToReplicaSnapshot{std::move(variants)});
    }
    ///@}

    /// Finds out, past the cache, why a model has no numbers. Needs a `DiagnosingBackend`.
    ///
    /// **Parameters:** the model; the variants whose pods are expected, or none; a completion token
    /// for `void(Result<Diagnosis>)`.
    ///
    /// **Completes:** after the backend's answer or `call_timeout`.
    ///
    /// **Errors:** `aborted`, `timeout`; `internal` if the backend throws. A refused query is a finding.
    ///
    /// **Cancellation:** terminal, partial, total: cancels the queries; completes with `aborted`.
    ///
    /// **Threads:** any thread.
    template <asio::completion_token_for<void(Result<Diagnosis>)> Token = asio::deferred_t>
        requires DiagnosingBackend<Backend>
    auto async_diagnose(ModelKey model, std::vector<VariantAutoscaling> variants,
                        Token&& token = Token()) {
        return asio::async_initiate<Token, void(Result<Diagnosis>)>(
            detail::Diagnose(), token, impl_, std::move(model), std::move(variants));
    }

    /// Fetches a variant's optimizer metrics in every background round, once background fetching is
    /// started. Collecting does the same if `track_on_collection` is set. Tracking again updates the
    /// variant, for example its deployment. Returns whether it is tracked: false if `max_tracked`
    /// others are (it can still be collected), if no cluster can have such names (`invalid_argument`
    /// when collecting), and if the executor's context has been destroyed.
    bool track(const VariantAutoscaling& variant) {
        return impl_->track(detail::OptimizerTarget{variant});
    }
    /// As above, for a model's replica metrics.
    bool track(const ModelKey& model) { return impl_->track(detail::ReplicaTarget{model}); }

    /// Stops fetching a variant in the background and removes its entry. An answer in flight is not
    /// cached.
    void untrack(const VariantKey& variant) { impl_->untrack(optimizer_key(variant)); }
    /// Stops fetching a model's replicas in the background and removes their entry. An answer in
    /// flight is not cached.
    void untrack(const ModelKey& model) { impl_->untrack(replica_key(model)); }

    /// Starts background rounds (the first after a random part of the interval) and the removal of
    /// expired entries. Both keep the executor's context busy until they are stopped. Returns whether
    /// rounds were started: not if they run already, or if `fetch_interval` is 0.
    bool start_background_fetching() { return impl_->start_background(); }
    /// Starts no more rounds; a running one continues to its end. Idempotent; may be started again.
    void stop_background_fetching() { impl_->stop_background(); }

    /// Removes the entries of a variant and of its model's replicas, for example after scaling it.
    /// Answers in flight do not bring them back. Returns the number of entries removed.
    std::size_t invalidate_variant(const VariantAutoscaling& variant) {
        return impl_->invalidate({CacheKey(optimizer_key(variant.namespace_name, variant.name)),
                                  CacheKey(replica_key(variant.model()))});
    }
    /// As `invalidate_variant`, for all that is cached of a model: its replicas, its availability
    /// and all its variants, tracked or not. If the cache is no `SelectiveCache`, the variants of the
    /// namespace's other models are removed too.
    std::size_t invalidate_model(const ModelKey& model) { return impl_->invalidate_model(model); }
    /// As `invalidate_variant`, for all keys that begin with `prefix`, for example
    /// `key_prefix(EntryKind::replica, "llm")`.
    std::size_t invalidate_prefix(std::string_view prefix) {
        return impl_->invalidate_prefix(prefix);
    }

    /// Applies a new configuration; cached entries and in-flight fetches are kept.
    ///
    /// Cached entries keep their old expiry until revalidated. `call_timeout` applies to new
    /// fetches. Lower limits evict and untrack what was used least recently. Disabling the cache
    /// empties it. If background fetching was started, new intervals apply immediately, even if it
    /// was off because of an interval of 0.
    ///
    /// **Parameters:** the whole configuration: change a copy of `config()`.
    ///
    /// **Errors:** `invalid_config` with all problems that `validate` finds, or if the limits
    /// change and the cache is not a `ResizableCache`. The old configuration then stays.
    ///
    /// **Threads:** any thread. Concurrent calls take effect one after the other.
    Result<void> reconfigure(const CollectorConfig& config) { return impl_->reconfigure(config); }
    /// A copy of the current configuration.
    CollectorConfig config() const { return impl_->config(); }

    /// Counters since the collector was made.
    CollectorStats stats() const { return impl_->stats(); }
    /// Whether the backend answers.
    CollectorHealth health() const { return impl_->health(); }

    ///@{
    /// The collector's own policies; as thread-safe as their types.
    Backend& backend() noexcept { return impl_->backend(); }
    CachePolicy& cache() noexcept { return impl_->cache(); }
    Observer& observer() noexcept { return impl_->observer(); }
    ///@}
    /// The executor that the collector was made with; empty if its context has been destroyed.
    executor_type get_executor() const { return impl_->executor(); }
};

} // namespace wva_metrics
