// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {
template <typename Executor>
struct PodImpl;
} // namespace detail

/// Reads the pages of the inference pods themselves: at the freshness of a second, and with no
/// Prometheus in between.
///
/// The first call for a model scrapes its pods at once. From then on each pod is scraped once per
/// `schedule.interval`, on the executor, and later calls are answered from what was read, unless it
/// is older than that: then they wait for one scrape, and pods that a caller waits for are scraped
/// before those that only a background round waits for (`Priority`). When nobody has asked for a model during
/// `schedule.keep_scraping_for`, its pods are left alone. Calls share scrapes.
///
/// What was read goes the same road as the samples of a Prometheus (`samples/`), and gives the same
/// readings: a pod has a rate once it has been scraped twice, and a reading `warming_up` before. A
/// pod that cannot be read has readings that are missing with the reason `unread` after it has missed
/// more than two scrapes, and before that its last values with their age; the answer is `partial`
/// from the first on, and a warning says why. A pod without a single sample is there too.
///
/// It is no `ProtectedBackend`, because there is nothing to tell: a scrape that fails is not repeated,
/// and the next one comes at its time, so that a pod in trouble is asked no more often than others.
///
/// A class template, because GCC compiles every inline coroutine that is not a template, whether it
/// is used or not. Use `PodBackend`.
///
/// **Errors:** a target without a model id returns `invalid_argument`. If the pods of a model could
/// not be found, the error is that of `PodConfig::find_targets`, or of the name look-up. A model
/// without any pod is no error: its answer has no values, is `partial`, and says what to configure.
///
/// **Cancellation:** terminal: ends the wait. Scrapes continue, for others.
///
/// **Threads:** safe. Copies share the pods. A backend may be destroyed while calls are pending; they
/// continue. When the last copy and the last call have gone, scraping ends; until then it is work of
/// the executor, so that `io_context::run` does not return before `keep_scraping_for` is over.
template <typename Executor = asio::any_io_executor>
class BasicPodBackend {
public:
    /// The executor of all I/O.
    using executor_type = Executor;
    /// The same backend for another executor type.
    template <typename OtherExecutor>
    struct rebind_executor {
        /// The backend on `OtherExecutor`.
        using other = BasicPodBackend<OtherExecutor>;
    };

    /// Connects to nothing yet. Throws `ResultError` with `Errc::invalid_config` and all problems
    /// that `validate(config)` finds.
    BasicPodBackend(const Executor& executor, PodConfig config);

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of all I/O.
    /// - `config`: the pods, and how to scrape them.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicPodBackend> make(const Executor& executor, PodConfig config) {
        return detail::make_result<BasicPodBackend>(executor, std::move(config));
    }

    /// The configuration passed to the constructor. Thread-safe.
    const PodConfig& config() const noexcept;

    /// Checks whether pods of a model can be read.
    ///
    /// **Completes:** with a verdict and a hint for the operator. A model without metrics is not an
    /// error.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<Availability>> check_availability(ModelKey model);

    /// Measures variants, each summed over the pods that its workload owns.
    ///
    /// **Completes:** with one answer per variant, in order. Pods that were removed count for the
    /// window in which they served. If living pods have no usable value, `coverage` names them.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants,
                            Priority priority = Priority::interactive);

    /// Measures the pods of models.
    ///
    /// **Completes:** with one answer per model, in order. Pods that were removed are in `gone_pods`
    /// and not in `pods`.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models, Priority priority = Priority::interactive);

    /// Finds out why a model has no numbers, or not all of them: reads its pods, and a second time
    /// after `schedule.interval` if a rate needs it.
    ///
    /// **Parameters:**
    /// - `model`: the model.
    /// - `variants`: those whose pods are expected; may be empty.
    ///
    /// **Completes:** with what was found. A pod that cannot be read is a finding too.
    ///
    /// **Errors:** none.
    ///
    /// **Cancellation, threads:** see the class.
    asio::awaitable<Result<Diagnosis>> diagnose(ModelKey model,
                                                std::vector<VariantAutoscaling> variants = {});

    /// Takes the load report (ORCA) in the answer of a pod to a request, so that a proxy or a client
    /// tells of a burst before the next scrape does. It changes the next `fetch_replica_samples`:
    ///
    /// - A report newer than the pod's page raises KV cache usage and queue length, or makes them
    ///   fresher. It lowers none, and 0 is no value where there is none. What it raises is a lower
    ///   bound, and `Reading::metric()` is `endpoint-load-metrics`.
    /// - It counts until the pod's page is read again, and at most for `load_reports.expiration`. So
    ///   reports of a process that has ended count until its successor's page is read.
    /// - A pod that comes, or is replaced by one with another uid, begins without reports. The first
    ///   ones are not used for `load_reports.blackout`.
    ///
    /// A collector's cache is not changed: a report is seen when the collector fetches again.
    ///
    /// **Parameters:**
    /// - `namespace_name`, `pod`: as the target has them. A target without a namespace takes any.
    /// - `value`: of the header `orca::report_header`; or, with `header`, of
    ///   `orca::binary_report_header`. Servers send it if the request has `orca::format_header`.
    /// - `now`: when the answer arrived.
    ///
    /// **Errors:** nothing is kept of the report.
    /// - `invalid_argument`: the pod is not scraped, because no target has this name, or nobody has
    ///   asked for its model.
    /// - `bad_response`: not a valid report; the parser is as strict as Envoy's.
    /// - `too_large`: a bound of `load_reports.limits` was hit, or `load_reports.max_pods`.
    ///
    /// **Threads:** safe, and without I/O. A lock is held while a name is looked up, not longer.
    Result<void> ingest_orca(std::string_view namespace_name, std::string_view pod,
                             std::string_view value, TimePoint now,
                             orca::OrcaHeader header = orca::OrcaHeader::load_metrics);

private:
    std::shared_ptr<detail::PodImpl<Executor>> impl_;
};

/// The backend for any executor.
using PodBackend = BasicPodBackend<>;

static_assert(DiagnosingBackend<PodBackend> && PrioritizingBackend<PodBackend>);

} // namespace wva_metrics

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::BasicPodBackend<boost::asio::any_io_executor>;
#else
#include "wva_metrics/backend/impl/pod_backend.hpp"
#endif
