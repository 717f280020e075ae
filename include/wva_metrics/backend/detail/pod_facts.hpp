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

/// What is known of the pods of some namespaces: by the owners that the user gave, else by
/// kube-state-metrics.
class PodKnowledge {
public:
    /// Whom to ask first.
    void ask_first(AnyPodOwners owners) { owners_ = std::move(owners); }

    /// A series of the answer to the pods query.
    void add(const prometheus::SeriesView& series) {
        using Columns = promql::PodColumns;
        const auto tag = promql::parse_part(series.labels[Columns::part]);
        if (!tag)
            return;
        if (tag->part == promql::Part::reporting) {
            reporting_ = true;
            return;
        }
        const std::string_view pod = series.labels[Columns::pod];
        if (pod.empty())
            return;
        Facts& facts =
            pods_[{std::string(series.labels[Columns::namespace_name]), std::string(pod)}];
        if (tag->part == promql::Part::gone)
            facts.gone = true;
        else if (tag->part == promql::Part::owner && !series.labels[Columns::owner_name].empty())
            add_owner(facts, {std::string(series.labels[Columns::owner_kind]),
                              std::string(series.labels[Columns::owner_name]),
                              OwnerSource::kube_state_metrics});
    }

    void merge(PodKnowledge&& other) {
        reporting_ = reporting_ || other.reporting_;
        pods_.merge(other.pods_);
    }

    /// For an answer that may lack something: what is not in it may exist all the same.
    void distrust_absence() noexcept {
        for (auto& [pod, facts] : pods_)
            facts.gone = false;
    }

    void add_warning(std::span<const std::string> namespaces, const std::string& warning) {
        for (const std::string& name : namespaces)
            warnings_[name].insert(warning);
    }

    /// Why not all is known of a namespace's pods, each reason once.
    const std::set<std::string>& warnings(const std::string& namespace_name) const {
        static const std::set<std::string> none;
        const auto found = warnings_.find(namespace_name);
        return found == warnings_.end() ? none : found->second;
    }

    /// What is known of a pod's life.
    ///
    /// A pod with living series is still scraped, and so it exists, whatever kube-state-metrics
    /// says: of several of its instances one may be restarting, and it hears late of a pod that
    /// comes back under its name. The owners know it from the API server, at once, and are
    /// believed: a deleted pod's series live on until the next scrape.
    PodState state_of(const std::string& namespace_name, const std::string& pod,
                      bool has_living_series) const {
        const PodState told = owners_.state_of(namespace_name, pod);
        if (told != PodState::unknown)
            return told;
        return !has_living_series && is_gone(namespace_name, pod) ? PodState::gone
                                                                  : PodState::unknown;
    }

    /// The same for each signal of a batch, even where the owners learn more meanwhile.
    std::optional<PodOwner> owner_of(const std::string& namespace_name,
                                     const std::string& pod) const {
        const Facts* facts = find(namespace_name, pod);
        const auto by_series = facts == nullptr ? std::nullopt : facts->owner;
        if (!owners_)
            return by_series;
        const auto [place, is_new] = told_.try_emplace({namespace_name, pod});
        if (is_new)
            place->second = owners_.find(namespace_name, pod);
        return place->second ? place->second : by_series;
    }

private:
    /// Reported until lately, and no more. A pod that was never seen is not gone: it may be
    /// younger than the last scrape, or in a namespace that kube-state-metrics does not watch.
    /// Nothing is gone while nothing is reported; but whether all that should report do is unknown.
    bool is_gone(const std::string& namespace_name, const std::string& pod) const {
        const Facts* facts = find(namespace_name, pod);
        return reporting_ && facts != nullptr && facts->gone;
    }

    struct Facts {
        bool gone = false;
        std::optional<PodOwner> owner;
    };

    /// Of several owners the first by name, so that the same one is taken each time.
    static void add_owner(Facts& facts, PodOwner owner) {
        if (!facts.owner ||
            std::tie(owner.kind, owner.name) < std::tie(facts.owner->kind, facts.owner->name))
            facts.owner = std::move(owner);
    }

    const Facts* find(const std::string& namespace_name, const std::string& pod) const {
        const auto found = pods_.find({namespace_name, pod});
        return found == pods_.end() ? nullptr : &found->second;
    }

    AnyPodOwners owners_;
    /// By namespace and pod.
    std::map<std::pair<std::string, std::string>, Facts> pods_;
    /// What the owners answered. A batch is worked on by one thread at a time.
    mutable std::map<std::pair<std::string, std::string>, std::optional<PodOwner>> told_;
    std::map<std::string, std::set<std::string>> warnings_;
    bool reporting_ = false;
};

} // namespace wva_metrics::detail
