// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/query.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace wva_metrics::detail {

/// States and owners of the pods of some namespaces: from the configured owners, or else from
/// kube-state-metrics.
class PodFacts {
public:
    /// Owners that take precedence over kube-state-metrics.
    void set_preferred_owners(AnyPodOwners owners) { owners_ = std::move(owners); }

    /// Adds a series of the answer to the pods query. `columns`: the names of the query's labels.
    void add(const prometheus::SeriesView& series, std::span<const std::string> columns) {
        using Columns = promql::PodColumns;
        const auto label = [&](std::size_t column) { return series.label(columns[column]); };
        const auto tag = promql::parse_part(label(Columns::part));
        if (!tag)
            return;
        if (tag->part == promql::Part::reporting) {
            is_reporting_ = true;
            return;
        }
        const std::string_view pod = label(Columns::pod);
        if (pod.empty())
            return;
        Pod& known = pods_[{std::string(label(Columns::namespace_name)), std::string(pod)}];
        if (tag->part == promql::Part::gone)
            known.gone = true;
        else if (tag->part == promql::Part::owner && !label(Columns::owner_name).empty())
            add_owner(known,
                      {std::string(label(Columns::owner_kind)),
                       std::string(label(Columns::owner_name)), OwnerSource::kube_state_metrics});
    }

    void merge(PodFacts&& other) {
        is_reporting_ = is_reporting_ || other.is_reporting_;
        pods_.merge(other.pods_);
    }

    /// The answer may lack series, so a pod that it does not contain may exist.
    void mark_incomplete() noexcept {
        for (auto& [name, pod] : pods_)
            pod.gone = false;
    }

    void add_warning(std::span<const std::string> namespaces, const std::string& warning) {
        for (const std::string& name : namespaces)
            warnings_[name].insert(warning);
    }

    /// Why the facts about a namespace's pods are incomplete, each reason once.
    const std::set<std::string>& warnings(const std::string& namespace_name) const {
        static const std::set<std::string> none;
        const auto found = warnings_.find(namespace_name);
        return found == warnings_.end() ? none : found->second;
    }

    /// A pod's state.
    ///
    /// A pod with living series is still scraped, so it exists, even if kube-state-metrics does not
    /// report it: one of several instances of kube-state-metrics may be restarting, and a pod that
    /// is recreated with the same name is reported late. The configured owners take precedence
    /// even over living series: they get the state from the API server without delay, while the
    /// series of a deleted pod live until the next scrape.
    PodState state_of(const std::string& namespace_name, const std::string& pod,
                      bool has_living_series) const {
        const PodState preferred = owners_.state_of(namespace_name, pod);
        if (preferred != PodState::unknown)
            return preferred;
        return !has_living_series && is_gone(namespace_name, pod) ? PodState::gone
                                                                  : PodState::unknown;
    }

    /// A pod's owner. The same for each signal of a batch, even if the configured owners change
    /// meanwhile.
    std::optional<PodOwner> owner_of(const std::string& namespace_name,
                                     const std::string& pod) const {
        const Pod* known = find(namespace_name, pod);
        auto by_series = known == nullptr ? std::nullopt : known->owner;
        if (!owners_)
            return by_series;
        const auto [preferred, is_new] = preferred_owners_.try_emplace({namespace_name, pod});
        if (is_new)
            preferred->second = owners_.find(namespace_name, pod);
        return preferred->second ? preferred->second : by_series;
    }

private:
    struct Pod {
        bool gone = false;
        std::optional<PodOwner> owner;
    };

    /// Of several owners, keeps the first by kind and name, so that the result is always the same.
    static void add_owner(Pod& pod, PodOwner owner) {
        if (!pod.owner ||
            std::tie(owner.kind, owner.name) < std::tie(pod.owner->kind, pod.owner->name))
            pod.owner = std::move(owner);
    }

    /// True if kube-state-metrics reported the pod recently but does not report it any more.
    ///
    /// A pod that was never reported is not gone: it may be younger than the last scrape, or in a
    /// namespace that kube-state-metrics does not watch. While kube-state-metrics reports nothing
    /// at all, no pod is gone. (It is not known whether all of its instances report.)
    bool is_gone(const std::string& namespace_name, const std::string& pod) const {
        const Pod* known = find(namespace_name, pod);
        return is_reporting_ && known != nullptr && known->gone;
    }

    const Pod* find(const std::string& namespace_name, const std::string& pod) const {
        const auto found = pods_.find({namespace_name, pod});
        return found == pods_.end() ? nullptr : &found->second;
    }

    AnyPodOwners owners_;
    /// By namespace and pod.
    std::map<std::pair<std::string, std::string>, Pod> pods_;
    /// Answers of `owners_`. Mutable without a lock: one thread at a time works on a batch.
    mutable std::map<std::pair<std::string, std::string>, std::optional<PodOwner>>
        preferred_owners_;
    std::map<std::string, std::set<std::string>> warnings_;
    bool is_reporting_ = false;
};

} // namespace wva_metrics::detail
