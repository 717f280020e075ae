// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/pod_owner.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

namespace detail {
template <typename Executor>
class OwnerResolverImpl;
} // namespace detail

/// Finds the owners and states of pods with the Kubernetes API: by owner references, then by label
/// selectors.
///
/// It follows pods, replica sets, stateful sets and deployments by list and watch, and answers from
/// memory: it never requests a single pod. Put it into `PrometheusConfig::owners` as a
/// `std::shared_ptr`. Before the first complete list, and for unknown pods, kube-state-metrics and
/// the pods' names decide, as they do without it.
///
/// Required permissions: `list` and `watch` on `pods`, and on `replicasets`, `statefulsets`
/// and `deployments` of the group `apps`. A missing permission is reported to `on_problem` and does
/// not affect the other resources.
///
/// **Threads:** safe.
///
/// **Lifetime:** like its `Client` and `Reflector`s, it may be destroyed before or after its
/// execution context.
template <typename Executor = asio::any_io_executor>
class BasicOwnerResolver {
public:
    /// Sends no request before `start`. Throws `ResultError` with `Errc::invalid_config` and all
    /// problems that `validate(config)` finds.
    explicit BasicOwnerResolver(const BasicClient<Executor>& client,
                                OwnerResolverConfig config = {});

    /// A moved-from resolver may only be assigned to or destroyed.
    BasicOwnerResolver(BasicOwnerResolver&&) noexcept;
    /// Stops this resolver, as the destructor does, and takes over the other.
    BasicOwnerResolver& operator=(BasicOwnerResolver&&) noexcept;
    /// Stops it.
    ~BasicOwnerResolver();

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `client`: the client of the API server, which is copied.
    /// - `config`: what to follow, and how long it is trusted.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicOwnerResolver> make(const BasicClient<Executor>& client,
                                           OwnerResolverConfig config = {}) {
        return wva_metrics::detail::make_result<BasicOwnerResolver>(client, std::move(config));
    }

    /// Starts to list and to watch. Does nothing if it is running.
    void start();
    /// Stops it. The known objects stay, but become stale after `max_staleness`.
    void stop();

    /// Whether all resources were listed completely.
    bool is_synced() const;

    /// The status of each reflector: pods, replica sets, stateful sets and deployments, each in the
    /// order of the namespaces.
    std::vector<ReflectorStatus> status() const;

    /// The scalable workload that owns a pod; empty if the pod or its owner is unknown.
    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const;

    /// The state of a pod; `unknown` if the API server has sent nothing for `max_staleness`.
    ///
    /// `gone` means that the pod was known, and was deleted or missing in a complete list within
    /// `deleted_pod_retention`. A pod never seen is `unknown`: it may be newer than the last event.
    /// While the watch of the namespace is broken or its pods are listed again, deleted pods are
    /// `unknown` too, because a new pod may have the old name. So are pods that the API server has,
    /// but that cannot be read; `ReflectorStatus::warning` names them.
    PodState state_of(std::string_view namespace_name, std::string_view pod) const;

private:
    std::unique_ptr<detail::OwnerResolverImpl<Executor>> impl_;
};

/// The resolver on any executor.
using OwnerResolver = BasicOwnerResolver<>;

static_assert(PodOwners<OwnerResolver> && PodStates<OwnerResolver>);

} // namespace wva_metrics::kubernetes

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::kubernetes::BasicOwnerResolver<boost::asio::any_io_executor>;
#else
#include "wva_metrics/kubernetes/impl/owner_resolver.hpp"
#endif
