// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/variant_watcher_config.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace wva_metrics::kubernetes {

namespace detail {
template <typename Executor>
class VariantWatcherImpl;
} // namespace detail

/// The variants that a cluster's `VariantAutoscaling` objects describe, kept current by list and
/// watch.
///
/// To let a collector track all current variants:
/// `config.on_change = [&](const VariantsChange& change) { track_change(collector, change); };`
///
/// Fields of an object: `spec.modelID` and `spec.scaleTargetRef.name` are required.
/// `spec.scaleTargetRef.kind` defaults to `Deployment`, and `spec.variantCost`, a number or a text
/// with one, to 10.0, also if it is anything else. The accelerator is the label
/// `inference.optimization/acceleratorName`. While the API server fails, the known variants stay, as
/// does a variant whose object can no longer be read (see `ClientConfig::max_object_bytes`).
///
/// Required permissions: `list` and `watch` on the resource.
///
/// **Threads:** safe.
///
/// **Lifetime:** like its `Client` and `Reflector`, it may be destroyed before or after its
/// execution context.
template <typename Executor = asio::any_io_executor>
class BasicVariantWatcher {
public:
    /// Immutable; sorted by namespace and name.
    using SnapshotPtr = std::shared_ptr<const std::vector<VariantAutoscaling>>;

    /// Sends no request before `start`. Throws `ResultError` with `Errc::invalid_config` and all
    /// problems that `validate(config)` finds.
    explicit BasicVariantWatcher(const BasicClient<Executor>& client,
                                 const VariantWatcherConfig& config = {});
    /// A moved-from watcher may only be assigned to or destroyed.
    BasicVariantWatcher(BasicVariantWatcher&&) noexcept;
    /// Stops this watcher, as the destructor does, and takes over the other.
    BasicVariantWatcher& operator=(BasicVariantWatcher&&) noexcept;
    /// Stops it.
    ~BasicVariantWatcher();

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `client`: the client of the API server, which is copied.
    /// - `config`: what to follow, and the callbacks.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicVariantWatcher> make(const BasicClient<Executor>& client,
                                            const VariantWatcherConfig& config = {}) {
        return wva_metrics::detail::make_result<BasicVariantWatcher>(client, config);
    }

    /// Starts to list and to watch. Does nothing if it is running.
    void start();
    /// Stops it. The known variants stay.
    void stop();
    /// The status of the reflector.
    ReflectorStatus status() const;

    /// The currently known variants; empty before the first list. The first call after a change
    /// copies them all, so a program that only follows changes should use those.
    SnapshotPtr snapshot() const;

private:
    std::unique_ptr<detail::VariantWatcherImpl<Executor>> impl_;
};

/// The watcher on any executor.
using VariantWatcher = BasicVariantWatcher<>;

} // namespace wva_metrics::kubernetes

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::kubernetes::BasicVariantWatcher<boost::asio::any_io_executor>;
#else
#include "wva_metrics/kubernetes/impl/variant_watcher.hpp"
#endif
