// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/cluster_targets.hpp"
#include "wva_metrics/backend/kubernetes_target.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/serving_pod.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Follows the pods of a cluster, for `PodConfig::find_targets`. `kubernetes::OwnerResolver`, as
/// `PodConfig::owners`, says whose they are.
///
/// Required permissions: `list` and `watch` on pods. While the API server fails, the known
/// pods stay, and the answers say so after `max_staleness`.
///
/// **Threads:** safe.
///
/// **Lifetime:** as `kubernetes::Reflector`. A function that it gave may outlive it, and then knows
/// the pods that it knew last.
template <typename Executor = boost::asio::any_io_executor>
class BasicKubernetesTargets {
public:
    /// Sends no request before `start`.
    explicit BasicKubernetesTargets(const kubernetes::BasicClient<Executor>& client,
                                    const KubernetesTargetsConfig& config = {})
        : targets_(std::make_shared<detail::ClusterTargets>(config)), list_wait_(config.list_wait),
          max_staleness_(config.max_staleness),
          reflector_(std::make_shared<Reflector>(client, config.selection, handler(targets_))) {}
    BasicKubernetesTargets(const BasicKubernetesTargets&) = delete;
    BasicKubernetesTargets& operator=(const BasicKubernetesTargets&) = delete;
    /// Stops it.
    ~BasicKubernetesTargets() { reflector_->stop(); }

    /// Starts to list and to watch. Does nothing if it is running.
    void start() { reflector_->start(); }
    /// Stops it. The known pods stay.
    void stop() { reflector_->stop(); }
    /// The status of the watch.
    kubernetes::ReflectorStatus status() const { return reflector_->status(); }

    /// For `PodConfig::find_targets`. Before the first list it waits for that, and completes with an
    /// error if there is none within `list_wait`; also while the API server is silent for a model
    /// whose pods it has told: those stay.
    PodTargets function() const {
        return [targets = targets_, list_wait = list_wait_, max_staleness = max_staleness_,
                reflector = std::weak_ptr<const Reflector>(reflector_),
                told = detail::SharedToldModels()](ModelKey model) {
            return find({targets, reflector, told.get(), list_wait, max_staleness},
                        std::move(model));
        };
    }

private:
    using Found = Result<std::vector<scrape::ScrapeTarget>>;
    using Reflector = kubernetes::Reflector<kubernetes::ServingPod, Executor>;

    /// What a search needs, which may outlive this object.
    struct Search {
        std::shared_ptr<detail::ClusterTargets> targets;
        std::weak_ptr<const Reflector> reflector;
        std::shared_ptr<detail::ToldModels> told;
        Duration list_wait;
        Duration max_staleness;

        std::optional<kubernetes::ReflectorStatus> status() const {
            const auto alive = reflector.lock();
            return alive ? std::optional(alive->status()) : std::nullopt;
        }
    };

    static boost::asio::awaitable<Found> find(Search search, ModelKey model) {
        const auto before = search.status();
        if (before && before->running) // Otherwise there will be no list.
            co_await detail::ClusterTargets::wait(
                search.targets,
                detail::saturating_add(std::chrono::steady_clock::now(), search.list_wait));
        std::optional<Error> outage;
        if (const auto status = search.status())
            outage = detail::find_outage(*status, std::chrono::steady_clock::now(),
                                         search.max_staleness);
        if (!outage)
            search.told->forget();
        Found found = search.targets->find(model);
        if (outage && found.has_value() && search.told->tell(model))
            co_return *std::move(outage);
        co_return found;
    }

    static kubernetes::ReflectorHandler<kubernetes::ServingPod>
    handler(const std::shared_ptr<detail::ClusterTargets>& targets) {
        kubernetes::ReflectorHandler<kubernetes::ServingPod> calls;
        // `on_unreadable` is called right before `on_listed`, by the same thread.
        const auto unreadable = std::make_shared<kubernetes::UnreadableObjects>();
        calls.on_unreadable = [unreadable](const auto& objects) { *unreadable = objects; };
        calls.on_listed = [targets, unreadable](const auto& pods) {
            targets->set_all(pods, std::exchange(*unreadable, {}));
        };
        calls.on_unreadable_change = [targets](const auto& pod) { targets->set_unreadable(pod); };
        calls.on_upserted = [targets](const auto& pod) { targets->set(pod); };
        calls.on_deleted = [targets](const auto& pod) { targets->remove(pod); };
        calls.on_problem = [targets](const Error& problem) { targets->note(problem); };
        return calls;
    }

    const std::shared_ptr<detail::ClusterTargets> targets_;
    const Duration list_wait_;
    const Duration max_staleness_;
    const std::shared_ptr<Reflector> reflector_;
};

/// The targets of a cluster on any executor.
using KubernetesTargets = BasicKubernetesTargets<>;

} // namespace wva_metrics
