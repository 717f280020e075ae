// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/scrape_wait.hpp"
#include "wva_metrics/backend/kubernetes_target.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/serving_pod.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// That the API server has been silent for too long; empty if it has not. Pure.
inline std::optional<Error> find_outage(const kubernetes::ReflectorStatus& status, TimePoint now,
                                        Duration max_staleness) {
    if (!status.running || !status.last_contact ||
        saturating_age(*status.last_contact, now) <= max_staleness)
        return std::nullopt;
    Error outage(Errc::unavailable, "the API server has sent nothing for " +
                                        format_duration(std::chrono::floor<std::chrono::seconds>(
                                            saturating_age(*status.last_contact, now))) +
                                        ", so pods that are new since then are missing");
    if (status.last_error) {
        outage.message += ": " + status.last_error->describe();
        outage.endpoint = status.last_error->endpoint;
    }
    return outage;
}

/// The models whose pods were told. A copy has told nothing, because whoever has it knows no pods.
class ToldModels {
public:
    ToldModels() = default;
    ToldModels(const ToldModels&) {}
    ToldModels& operator=(const ToldModels&) = delete;

    /// Whether they were told before; from now on they were.
    bool tell(const ModelKey& model) {
        const std::lock_guard lock(mutex_);
        return !models_.insert(model).second;
    }
    void forget() {
        const std::lock_guard lock(mutex_);
        models_.clear();
    }

private:
    std::mutex mutex_;
    std::set<ModelKey> models_;
};
/// One that calls may share, for each copy of its owner.
class SharedToldModels {
public:
    SharedToldModels() = default;
    SharedToldModels(const SharedToldModels&) {}
    SharedToldModels& operator=(const SharedToldModels&) = delete;

    const std::shared_ptr<ToldModels>& get() const noexcept { return models_; }

private:
    const std::shared_ptr<ToldModels> models_ = std::make_shared<ToldModels>();
};

/// The targets of a cluster, as far as they are known.
class ClusterTargets {
public:
    explicit ClusterTargets(KubernetesTargetsConfig config) : config_(std::move(config)) {}

    /// `unreadable`: the pods that the list has and `pods` has not.
    void set_all(const std::vector<kubernetes::ServingPod>& pods,
                 const kubernetes::UnreadableObjects& unreadable = {}) {
        const std::lock_guard lock(mutex_);
        targets_.clear();
        unreadable_.clear();
        for (const kubernetes::ServingPod& pod : pods)
            put(pod);
        for (const kubernetes::UnreadableObject& object : unreadable.first)
            unreadable_.insert_or_assign(key(object), problem_of(object.problem));
        if (unreadable.count > unreadable.first.size())
            unreadable_.insert_or_assign(
                Key(), problem_of(std::to_string(unreadable.count) + " pods cannot be read"));
        is_listed_ = true;
        end_waits();
    }
    void set(const kubernetes::ServingPod& pod) {
        const std::lock_guard lock(mutex_);
        erase(key(pod));
        put(pod);
    }
    /// A pod that is there cannot be read. One that was read before is scraped where it was.
    void set_unreadable(const kubernetes::UnreadableObject& pod) {
        const std::lock_guard lock(mutex_);
        if (!targets_.contains(key(pod)))
            unreadable_.insert_or_assign(key(pod), problem_of(pod.problem));
    }
    void remove(const kubernetes::ServingPod& pod) {
        const std::lock_guard lock(mutex_);
        erase(key(pod));
    }
    void note(const Error& problem) {
        const std::lock_guard lock(mutex_);
        problem_ = problem;
        end_waits();
    }
    /// The pods that may serve a model, also those that cannot be read; an error before the first list.
    Result<std::vector<scrape::ScrapeTarget>> find(const ModelKey& model) const {
        const std::lock_guard lock(mutex_);
        if (!is_listed_)
            return problem_.value_or(Error(Errc::unavailable,
                                           "the pods of the cluster have not been "
                                           "listed yet"));
        std::vector<scrape::ScrapeTarget> found;
        for (const auto& [name, target] : targets_)
            if (target.namespace_name == model.namespace_name &&
                (target.model.empty() || target.model == model.model_id)) {
                found.push_back(target);
                if (target.model.empty())
                    found.back().model = any_model;
            }
        for (const auto& [name, problem] : unreadable_)
            if (name.first == model.namespace_name || name.first.empty()) {
                scrape::ScrapeTarget& pod = found.emplace_back();
                pod.pod = name.second;
                pod.namespace_name = model.namespace_name;
                pod.problem = problem;
            }
        return found;
    }

    /// Returns when there is a list, or an error instead of the first one, or at the deadline.
    static asio::awaitable<void> wait(std::shared_ptr<ClusterTargets> targets, TimePoint deadline) {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        Waiter waiter(std::move(targets), executor);
        if (waiter.has_to_wait)
            co_await waiter.wait.wait(deadline);
    }

private:
    using Key = std::pair<std::string, std::string>;

    /// A call that waits for the first list.
    struct Waiter {
        Waiter(std::shared_ptr<ClusterTargets> for_list, const asio::any_io_executor& executor)
            : of(std::move(for_list)), wait(executor) {
            const std::lock_guard lock(of->mutex_);
            has_to_wait = !of->is_listed_ && !of->problem_;
            if (!has_to_wait)
                return;
            wait.add(first_list);
            of->waiting_.insert(&wait);
        }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter() {
            const std::lock_guard lock(of->mutex_);
            of->waiting_.erase(&wait);
        }
        const std::shared_ptr<ClusterTargets> of;
        ScrapeWait wait;
        bool has_to_wait = false;
    };

    /// With the mutex held.
    void end_waits() {
        for (ScrapeWait* const waiting : waiting_)
            waiting->note(first_list);
    }

    static Key key(const kubernetes::ServingPod& pod) {
        return {pod.metadata.namespace_name, pod.metadata.name};
    }
    static Key key(const kubernetes::UnreadableObject& pod) {
        return {pod.namespace_name, pod.name};
    }
    static Error problem_of(const std::string& problem) {
        return Error(Errc::bad_response, "a pod of the cluster may be missing: " + problem);
    }
    /// With the mutex held.
    void erase(const Key& pod) {
        targets_.erase(pod);
        unreadable_.erase(pod);
    }
    void put(const kubernetes::ServingPod& pod) {
        if (std::optional<scrape::ScrapeTarget> target = kubernetes_target(pod, config_))
            targets_.insert_or_assign(key(pod), *std::move(target));
    }

    const KubernetesTargetsConfig config_;
    mutable std::mutex mutex_;
    std::map<Key, scrape::ScrapeTarget> targets_;
    /// The pods that are there and whose address is not known. The key is empty as far as their names
    /// are not known either.
    std::map<Key, Error> unreadable_;
    std::optional<Error> problem_;
    bool is_listed_ = false;
    /// The calls that wait for the first list.
    std::set<ScrapeWait*> waiting_;
    static constexpr ScrapeWait::Id first_list = 0;
};

} // namespace wva_metrics::detail
