// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/attribute_cached.hpp"
#include "wva_metrics/collector/detail/collector_state.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/observer/observer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/asio/steady_timer.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Collects the metrics an autoscaler decides on: asks a backend, keeps the answers in a cache,
/// renews them before anyone asks.
///
/// `Backend` says where data comes from, `CachePolicy` where it is kept, `Observer` watches,
/// `Timer` is replaced only in tests. The collector starts no thread: it works on the executor it
/// is given, whether one thread runs it or ten.
///
/// **Thread safety:** every public function may be called from any thread at any time, except that
/// the collector must not be destroyed or moved from while another thread is inside one.
///
/// **Lifetime:** destroying the collector completes what is pending with `Errc::aborted` and
/// cancels what is under way. The executor's context may be stopped, restarted or destroyed with
/// work in flight, before or after the collector; completions that it can no longer deliver are
/// dropped with it.
///
/// **Errors:** no exception leaves an asynchronous operation, and all their results are
/// `Result<T>`.
template <MetricsBackend Backend, MetricsCache CachePolicy,
          CollectorObserver Observer = NullObserver, typename Timer = asio::steady_timer>
class Collector {
    using State = detail::CollectorState<Backend, CachePolicy, Observer, Timer>;

public:
    /// Asio asks for this name.
    using executor_type = asio::any_io_executor;
    /// The backend's type.
    using backend_type = Backend;
    /// The cache's type.
    using cache_type = CachePolicy;
    /// The observer's type.
    using observer_type = Observer;

    /// Throws `ResultError` with `Errc::invalid_config`, naming everything that `validate(config)`
    /// finds wrong.
    explicit Collector(const asio::any_io_executor& executor, Backend backend,
                       CollectorConfig config = {}, Observer observer = {}) {
        if (const auto problems = validate(config); !problems.empty())
            throw ResultError(State::invalid_config(problems));
        state_ = std::make_shared<State>(executor, std::move(backend), std::move(config),
                                         std::move(observer));
    }
    /// What was moved from may only be destroyed or assigned to.
    Collector(Collector&&) noexcept = default;
    /// Ends what this collector had under way, as its destructor does.
    Collector& operator=(Collector&& other) noexcept {
        if (this != &other) {
            if (state_)
                state_->close();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~Collector() {
        if (state_)
            state_->close();
    }

    /// Can a model's metrics be collected, and if not, why?
    ///
    /// Params: the model; a completion token for `void(Result<Availability>)`.
    /// Completes when: at once from the cache, else when the backend has answered or `call_timeout`
    /// has passed. An unavailable model is remembered for `negative_ttl` only. Errors: `aborted`,
    /// `invalid_argument`. A failing backend is not an error here but an availability with reason
    /// `backend_error`, or the last good one inside the stale-if-error window.
    /// Cancellation: terminal, partial, total: this caller leaves with `aborted`; the fetch goes on
    /// for others. Thread safety: any thread.
    template <asio::completion_token_for<void(Result<Availability>)> Token>
    auto async_validate_availability(ModelKey model, Token&& token) {
        return asio::async_initiate<Token, void(Result<Availability>)>(
            [](auto handler, std::shared_ptr<State> state, ModelKey target) {
                std::string wrong = check(target);
                const auto convert =
                    [](const std::shared_ptr<State>&,
                       const Result<detail::Answer>& answer) -> Result<Availability> {
                    if (answer.has_value())
                        return *answer->entry->template get<Availability>();
                    if (answer.error().is(Errc::aborted) ||
                        answer.error().is(Errc::invalid_argument))
                        return answer.error();
                    return Availability{false, AvailabilityReason::backend_error,
                                        answer.error().describe()};
                };
                const CacheKey key(availability_key(target));
                collect<Availability>(std::move(state), key, std::move(target), std::move(wrong),
                                      std::move(handler), convert);
            },
            token, state_, std::move(model));
    }

    /// Collects what one variant is asked to do and how well it does it.
    ///
    /// Params: the variant with its deployment; a completion token for
    /// `void(Result<OptimizerSnapshot>)`. Completes when: at once from the cache (past the TTL too,
    /// within the stale window, while it is renewed behind the caller); else when the backend has
    /// answered or `call_timeout` has passed. Equal targets of several callers are asked once,
    /// and those that miss together are sent together. Errors: those of the backend, unless a last
    /// good value is inside the stale-if-error window; `timeout`, `aborted`, `invalid_argument`,
    /// `too_costly` (more than `max_waiters` callers wait). Cancellation: terminal, partial, total:
    /// this caller leaves with `aborted`; the fetch goes on for others. Thread safety: any thread.
    template <asio::completion_token_for<void(Result<OptimizerSnapshot>)> Token>
    auto async_collect_optimizer_metrics(VariantAutoscaling variant, Token&& token) {
        return asio::async_initiate<Token, void(Result<OptimizerSnapshot>)>(
            [](auto handler, std::shared_ptr<State> state, VariantAutoscaling target) {
                std::string wrong = check(target);
                const auto convert =
                    [](const std::shared_ptr<State>& from,
                       const Result<detail::Answer>& answer) -> Result<OptimizerSnapshot> {
                    if (answer.has_error())
                        return answer.error();
                    return optimizer_snapshot(*from, *answer, State::now());
                };
                const CacheKey key(optimizer_key(target.namespace_name, target.name));
                collect<OptimizerSnapshot>(std::move(state), key, std::move(target),
                                           std::move(wrong), std::move(handler), convert);
            },
            token, state_, std::move(variant));
    }

    /// Collects the replicas of one model, joined with the caller's variants, their accelerators
    /// and costs.
    ///
    /// Params: the model; the caller's variants of it (others are ignored); a completion token for
    /// `void(Result<ReplicaSnapshot>)`. What is cached are the pods' samples, so callers with
    /// different variants or costs each get their own join of the same samples. Completes when,
    /// errors, cancellation, thread safety: as `async_collect_optimizer_metrics`.
    template <asio::completion_token_for<void(Result<ReplicaSnapshot>)> Token>
    auto async_collect_replica_metrics(ModelKey model, std::vector<VariantAutoscaling> variants,
                                       Token&& token) {
        return asio::async_initiate<Token, void(Result<ReplicaSnapshot>)>(
            [](auto handler, std::shared_ptr<State> state, ModelKey target,
               std::vector<VariantAutoscaling> callers) {
                std::string wrong = check(target);
                auto convert =
                    [callers = std::move(callers)](
                        const std::shared_ptr<State>& from,
                        const Result<detail::Answer>& answer) -> Result<ReplicaSnapshot> {
                    if (answer.has_error())
                        return answer.error();
                    return replica_snapshot(*from, *answer, callers, State::now());
                };
                const CacheKey key(replica_key(target));
                collect<ReplicaSnapshot>(std::move(state), key, std::move(target), std::move(wrong),
                                         std::move(handler), std::move(convert));
            },
            token, state_, std::move(model), std::move(variants));
    }

    /// What is known of a variant now, without waiting: a cached snapshot, a stale one that is
    /// being renewed, the last good one while the backend fails, or nothing. Does no I/O, takes no
    /// lock of the collector's on a hit.
    std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) {
        const TimePoint now = state_->lookup_time();
        auto known = state_->find_known(optimizer_key(key), now);
        if (!known)
            return std::nullopt;
        return optimizer_snapshot(*state_, std::move(*known), now);
    }

    /// What is known of a model's replicas now, without waiting, joined with the caller's variants.
    std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants) {
        const TimePoint now = state_->lookup_time();
        const auto known = state_->find_known(replica_key(model), now);
        if (!known)
            return std::nullopt;
        return replica_snapshot(*state_, *known, variants, now);
    }

    /// Fetches a variant's optimizer metrics in the background from the next round on. Collecting
    /// does this by itself
    /// (`track_on_collection`). Tracking again renews what is known of the variant, its deployment
    /// for example.
    void track(const VariantAutoscaling& variant) {
        state_->track(optimizer_key(variant.namespace_name, variant.name), variant);
    }
    /// Fetches a model's replica metrics in the background from the next round on.
    void track(const ModelKey& model) { state_->track(replica_key(model), model); }

    /// Forgets a variant: it is no longer fetched, its entry is removed, an answer under way is not
    /// cached.
    void untrack(const VariantKey& variant) { state_->untrack(optimizer_key(variant)); }
    /// Forgets a model's replicas likewise.
    void untrack(const ModelKey& model) { state_->untrack(replica_key(model)); }

    /// Begins background rounds, the first after a random part of the interval. False where they
    /// run already or `fetch_interval` is 0; expired entries are cleaned up in either case. The
    /// timer keeps the io_context busy until `stop_background_fetching` or destruction.
    bool start_background_fetching() { return state_->start_background(); }

    /// No round begins after this; one under way goes on to its end. May be started again.
    /// Idempotent.
    void stop_background_fetching() { state_->stop_background(); }

    /// Removes what is cached of a variant and of its model's replicas, for example after scaling
    /// it. Answers under way do not bring it back. Returns the number of entries removed.
    std::size_t invalidate_variant(const VariantAutoscaling& variant) {
        return state_->invalidate({CacheKey(optimizer_key(variant.namespace_name, variant.name)),
                                   CacheKey(replica_key(variant.model()))});
    }
    /// Removes what is cached of a model: its replicas, its availability, and all its variants that
    /// were collected or tracked here.
    std::size_t invalidate_model(const ModelKey& model) {
        return state_->invalidate(state_->keys_of(model));
    }
    /// Removes every entry whose key begins like this, e.g. `key_prefix(EntryKind::replica,
    /// "llm")`.
    std::size_t invalidate_prefix(std::string_view prefix) {
        return state_->invalidate_prefix(prefix);
    }

    /// Works by another configuration from now on, without losing what is cached or under way.
    ///
    /// Params: the whole configuration; take `config()` and change what is to be changed.
    /// Completes when: it returns. Background fetching that was started follows new intervals at
    /// once, also where it had been switched off by an interval of 0. Answers that are cached keep
    /// the times they were cached with until they are renewed; `call_timeout` holds for what is
    /// asked from now on. Lower bounds evict and untrack what was used least recently. Switching
    /// the cache off empties it. Errors: `invalid_config` with everything that `validate` finds, or
    /// where the cache's bounds were changed and it is no `ResizableCache`; nothing has changed
    /// then. Cancellation: none, nothing is waited for. Thread safety: any thread; several calls
    /// take effect one after the other.
    Result<void> reconfigure(const CollectorConfig& config) { return state_->reconfigure(config); }
    /// A copy of what holds now.
    CollectorConfig config() const { return state_->config(); }

    /// What has been counted since the collector was made.
    CollectorStats stats() const { return state_->stats(); }
    /// Whether the backend answers.
    CollectorHealth health() const { return state_->health(); }

    ///@{
    /// The policies it works with; as thread-safe as they are.
    Backend& backend() noexcept { return state_->backend(); }
    CachePolicy& cache() noexcept { return state_->cache(); }
    Observer& observer() noexcept { return state_->observer(); }
    ///@}
    /// The executor it was made with; empty where its context has been destroyed.
    executor_type get_executor() const { return state_->executor(); }

private:
    /// What is wrong with a target; empty where it can be asked.
    static std::string check(const ModelKey& model) {
        if (model.model_id.empty())
            return "the model id is empty";
        return model.namespace_name.empty()
                   ? "the namespace of model '" + model.model_id + "' is empty"
                   : "";
    }
    static std::string check(const VariantAutoscaling& variant) {
        if (variant.name.empty())
            return "the name of a variant of model '" + variant.model_id + "' is empty";
        if (variant.deployment.empty())
            return "the deployment of variant '" + variant.name + "' is empty";
        return check(variant.model());
    }

    static OptimizerSnapshot optimizer_snapshot(const State& state, detail::Answer answer,
                                                TimePoint now) {
        const CacheEntry& entry = *answer.entry;
        const FreshnessThresholds thresholds = state.settings().freshness_thresholds();
        const Freshness freshness =
            freshness_of(entry.oldest_sample(), now, thresholds.optimizer_metrics, thresholds);
        const auto* metrics = entry.get<OptimizerMetrics>();
        return {std::shared_ptr<const OptimizerMetrics>(std::move(answer.entry), metrics),
                entry.collected_at(), freshness, answer.source};
    }

    static ReplicaSnapshot replica_snapshot(State& state, const detail::Answer& answer,
                                            std::span<const VariantAutoscaling> variants,
                                            TimePoint now) {
        detail::Joined joined = detail::join(*answer.entry, variants);
        const ModelReplicas& replicas = *joined.replicas;
        if (joined.is_new && !(replicas.unattributed_pods.empty() && replicas.gone_pods.empty()))
            state.notify(events::PodsLeftOut{replicas});
        const FreshnessThresholds thresholds = state.settings().freshness_thresholds();
        const Freshness freshness =
            freshness_of(joined.oldest_sample, now, thresholds.replica_metrics, thresholds);
        return {std::move(joined.replicas), answer.entry->collected_at(), freshness, answer.source};
    }

    /// The road of every operation: a hit completes at once, a miss waits for a flight.
    template <typename T, typename Target, typename Handler, typename Convert>
    static void collect(std::shared_ptr<State> state, const CacheKey& key, Target target,
                        std::string wrong, Handler handler, Convert convert) {
        const asio::any_io_executor executor = state->executor();
        const auto complete_now = [&](Result<T> result) {
            // Before the handler is moved from: a bound executor goes with it.
            const auto immediate = asio::get_associated_immediate_executor(handler, executor);
            asio::dispatch(immediate, asio::prepend(std::move(handler), std::move(result)));
        };
        if (!wrong.empty())
            return complete_now(Error(Errc::invalid_argument, std::move(wrong)));

        const TimePoint now = State::now();
        CacheEntryPtr last_good;
        const VariantAutoscaling* variant = nullptr;
        if constexpr (std::same_as<Target, VariantAutoscaling>)
            variant = &target;
        if (CacheEntryPtr entry = state->find(key, variant, now, last_good))
            return complete_now(convert(state, detail::Answer{std::move(entry), Source::cache}));

        // The waiter must not keep the collector alive: it is part of it.
        auto on_answer = [weak = std::weak_ptr<State>(state), convert = std::move(convert)](
                             const Result<detail::Answer>& answer) -> Result<T> {
            if (const auto alive = weak.lock())
                return convert(alive, answer);
            return Error(Errc::aborted, "the collector has been destroyed");
        };
        using Waiter = detail::HandlerWaiter<T, Handler, decltype(on_answer)>;
        const auto slot = asio::get_associated_cancellation_slot(handler);
        auto waiter = std::make_shared<Waiter>(std::move(handler), std::move(on_answer), executor);
        waiter->last_good = std::move(last_good);
        if (slot.is_connected()) {
            // Connected before the flight can complete it; the completion disconnects it on the
            // handler's own thread.
            auto connected = slot;
            connected.assign(
                [weak_state = std::weak_ptr<State>(state),
                 weak_waiter = std::weak_ptr<Waiter>(waiter)](asio::cancellation_type) {
                    const auto alive = weak_state.lock();
                    const auto waiting = weak_waiter.lock();
                    if (alive && waiting)
                        alive->leave(waiting);
                });
        }
        state->wait_for(key, detail::Target(std::move(target)), waiter, now);
    }

    std::shared_ptr<State> state_;
};

} // namespace wva_metrics
