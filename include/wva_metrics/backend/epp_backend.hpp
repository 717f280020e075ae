// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/backend/epp_status.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {
template <typename Executor>
struct EppImpl;
} // namespace detail

/// Reads the metrics of an endpoint picker (EPP), which sees every request before a server does: of
/// llm-d-router, or of the gateway API inference extension, by their names of today and of before.
///
/// It knows what no server knows: requests that wait for a model without a replica. It does not know
/// what each server does, so it complements another backend more than it replaces one:
///
/// | reading | from |
/// |---|---|
/// | arrival rate, tokens, TTFT, ITL | the EPP's counters per model, if one workload serves the model |
/// | queue length per pod | the queues that the EPP reads from its endpoints, if the pool serves one model |
/// | KV cache usage per pod | not published; the pool's mean is in `fetch_pool_status` |
///
/// What is not published is missing with a reason. Each call reads the page, unless that was done
/// within `EppConfig::reuse` or is being done: so rates need calls at least twice in their window, as a
/// collector's background fetching makes them.
///
/// A class template, because GCC compiles every inline coroutine that is not a template, whether it
/// is used or not. Use `EppBackend`.
///
/// **Errors:** a page that cannot be read is an error, never an empty queue. Those of
/// `scrape::BasicScraper::scrape`, of which these say what to do:
/// - `unauthorized`: the token is missing or not accepted (HTTP 401).
/// - `forbidden`: the token's account may not read the metrics (HTTP 403).
/// - `unavailable` with HTTP 500: the EPP's own account may not check tokens.
/// - `tls_failed`: the port speaks TLS only, or its certificate is not trusted.
///
/// **Cancellation:** terminal.
///
/// **Threads:** safe. Copies share their connection. A backend may be destroyed while calls are
/// pending; they continue.
template <typename Executor = asio::any_io_executor>
class BasicEppBackend {
public:
    /// The executor of all I/O.
    using executor_type = Executor;
    /// The same backend for another executor type.
    template <typename OtherExecutor>
    struct rebind_executor {
        /// The backend on `OtherExecutor`.
        using other = BasicEppBackend<OtherExecutor>;
    };

    /// Connects to nothing yet. Throws `ResultError` with `Errc::invalid_config` and all problems
    /// that `validate(config)` finds.
    BasicEppBackend(const Executor& executor, EppConfig config);

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of all I/O.
    /// - `config`: the EPP, and how to read it.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicEppBackend> make(const Executor& executor, EppConfig config) {
        return detail::make_result<BasicEppBackend>(executor, std::move(config));
    }

    /// The configuration passed to the constructor. Thread-safe.
    const EppConfig& config() const noexcept;

    /// Checks whether the EPP's page names a model.
    ///
    /// **Completes:** with a verdict and a hint for the operator. A model that may be among those that
    /// the EPP counts as `other` has the reason `backend_error`: nothing is known of it.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<Availability>> check_availability(ModelKey model);

    /// Fetches the metrics of variants. Of a model with several workloads all are missing, with the
    /// reason `unattributed`; workloads that earlier calls named count.
    ///
    /// **Completes:** with one answer per variant, in order. The arrival rate is that of all requests
    /// that came to the EPP, also of those that failed.
    ///
    /// **Errors:** see the class; and `rejected`: the variant is of another namespace than the EPP.
    ///
    /// **Cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants);

    /// Fetches the endpoints of models. The queue of an endpoint that the EPP may never have read is
    /// missing with the reason `unread`, and the answer `partial`.
    ///
    /// **Completes:** with one answer per model, in order.
    ///
    /// **Errors:** see the class; and `rejected`: the model is of another namespace than the EPP, or the
    /// EPP does not say which of its endpoints serve it.
    ///
    /// **Cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models);

    /// Fetches all that the EPP says of its pool.
    ///
    /// **Completes:** with the status; what is not published is missing.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<EppPoolStatus>> fetch_pool_status();

    /// Asks whether the EPP holds requests for a model, for scaling from zero.
    ///
    /// **Completes:** with yes, no, or unknown and why. Do not take `unknown` for `no`.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<EppQueued>> is_anything_queued(ModelKey model);

private:
    std::shared_ptr<detail::EppImpl<Executor>> impl_;
};

/// The backend for any executor.
using EppBackend = BasicEppBackend<>;

static_assert(MetricsBackend<EppBackend>);

} // namespace wva_metrics

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::BasicEppBackend<boost::asio::any_io_executor>;
#else
#include "wva_metrics/backend/impl/epp_backend.hpp"
#endif
