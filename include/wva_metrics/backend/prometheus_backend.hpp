// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/prometheus/replica_stats.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {
template <typename Executor>
struct PrometheusImpl;
} // namespace detail

/// Queries Prometheus, or any server with its query API.
///
/// Asks for the raw samples of all metrics at once, and decides itself which series are the same
/// process, which have ended, and what they add up to (`samples/`). However many variants and models
/// a batch has, a round is three queries for each `limits.max_models_per_query` models: which series
/// live, their samples, and the samples of kube-state-metrics. VictoriaMetrics is asked for its time
/// instead of the first. One more query at most, for longer windows, is sent for pods whose samples
/// do not decide, and one for models without series; both at most once a minute for each. A call for
/// models of a round that began within the last second, and still runs, waits for that one.
///
/// A chunk of models is made smaller if earlier answers were so large that its answer might not fit
/// into the client's bounds. A query that the server rejects for its size or cost is halved until it
/// is accepted, and the accepted size is kept for ten minutes. A model that is too large by itself
/// fails alone. A query for many models selects all of their namespaces, unless these hold many
/// other models.
///
/// A class template, because GCC compiles every inline coroutine that is not a template, whether it
/// is used or not. Use `PrometheusBackend`.
///
/// **Errors:** a model id or namespace that cannot be queried returns `invalid_argument`. The other
/// errors are those of `prometheus::Client::query`.
///
/// **Cancellation:** terminal: ends all pending queries.
///
/// **Threads:** safe. Copies share their connections. A backend may be destroyed while calls are
/// pending; they continue.
template <typename Executor = asio::any_io_executor>
class BasicPrometheusBackend {
public:
    /// The executor of all I/O.
    using executor_type = Executor;
    /// The same backend for another executor type.
    template <typename OtherExecutor>
    struct rebind_executor {
        /// The backend on `OtherExecutor`.
        using other = BasicPrometheusBackend<OtherExecutor>;
    };
    /// Connects to nothing yet. Throws `ResultError` with `Errc::invalid_config` and all problems
    /// that `validate(config)` finds.
    BasicPrometheusBackend(const Executor& executor, PrometheusConfig config);

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of all I/O.
    /// - `config`: the server, and what to query.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicPrometheusBackend> make(const Executor& executor, PrometheusConfig config) {
        return detail::make_result<BasicPrometheusBackend>(executor, std::move(config));
    }

    /// The configuration passed to the constructor. Thread-safe.
    const PrometheusConfig& config() const noexcept;

    /// Each server that may be asked (`ClientConfig::replicas`), in the order of preference: how it
    /// stands, and what protects it. Thread-safe.
    std::vector<prometheus::ReplicaStats> replica_stats() const;

    /// Checks whether Prometheus has recent metrics of a model.
    ///
    /// **Completes:** with a verdict and a hint for the operator. A model without metrics is not an
    /// error.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<Availability>> check_availability(ModelKey model);

    /// Fetches the metrics of variants, each summed over the pods that its workload owns.
    ///
    /// Deleted pods count for the window in which they served, so a roll-out does not look like a
    /// drop in load.
    ///
    /// **Completes:** with one answer per variant, in order. If only the query for
    /// existing pods fails, the answer is `partial`, and a warning says so. If living pods have no
    /// usable value, `coverage` names them.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants,
                            Priority priority = Priority::interactive);

    /// Fetches the pods of models.
    ///
    /// Pods that are known to be deleted are in `gone_pods` and not in `pods`. A pod that is
    /// missing from kube-state-metrics counts as deleted only if it missed its own newest scrape
    /// too. A pod that is still there but cannot be read has readings with the reason `unread`.
    ///
    /// **Completes:** with one answer per model, in order. If only the query for existing
    /// pods fails, the answer is `partial`, and a warning says so.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models, Priority priority = Priority::interactive);

    /// Finds out why a model has no numbers, or not all of them: one normal round, and at most three
    /// more queries, all within `batch_timeout`.
    ///
    /// **Parameters:**
    /// - `model`: the model.
    /// - `variants`: those whose pods are expected; may be empty.
    ///
    /// **Completes:** with what was found until then. A failed query is a finding too.
    ///
    /// **Errors:** none.
    ///
    /// **Cancellation, threads:** see the class.
    asio::awaitable<Result<Diagnosis>> diagnose(ModelKey model,
                                                std::vector<VariantAutoscaling> variants);

    /// Tells a listener what happens to the protection of the server, as long as the listener
    /// exists. `http::ClientConfig::protection.on_event` is called besides. Any thread.
    void
    add_protection_listener(std::weak_ptr<const resilience::ProtectionListener> listener) const;

private:
    std::shared_ptr<detail::PrometheusImpl<Executor>> impl_;
};

/// The backend for any executor.
using PrometheusBackend = BasicPrometheusBackend<>;

static_assert(DiagnosingBackend<PrometheusBackend> && PrioritizingBackend<PrometheusBackend> &&
              ProtectedBackend<PrometheusBackend>);

} // namespace wva_metrics

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::BasicPrometheusBackend<boost::asio::any_io_executor>;
#else
#include "wva_metrics/backend/impl/prometheus_backend.hpp"
#endif
