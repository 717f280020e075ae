// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/kube_pod_series.hpp"
#include "wva_metrics/backend/detail/kube_reporters.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// What kube-state-metrics says of the pods of some namespaces, by the raw samples of its series.
///
/// One object per answer: `add` each series, `finish`, then `merge` the objects.
///
/// A pod exists if any of its series is reported by an instance that reports at the moment. It is
/// gone if that instance, or one that took its place, reports it no more. Otherwise, e.g. while no
/// instance reports, nothing is known.
class KubePods {
public:
    /// What is known of a pod. Neither `exists` nor `gone` = nothing.
    struct Pod {
        /// It is reported. It may have been evicted, or not have started yet.
        bool exists = false;
        /// It exists, but the newest scrape lacks it: it may have been deleted since.
        bool is_missed = false;
        /// Whether it receives requests. Empty if it does not exist, or that is not reported.
        std::optional<bool> ready{};
        /// It was reported, and is not any more.
        bool gone = false;
        /// Its owner, also after it is gone.
        std::optional<PodOwner> owner{};
        /// When it was last reported, on the clock of the server.
        samples::ServerTime last{};

        friend bool operator==(const Pod&, const Pod&) = default;
    };

    /// `names` may be those of `promql::without_honor_labels`. A series is read by the labels that
    /// it has, whichever were asked for.
    KubePods(const KubeStateNames& names, const samples::SampleRules& rules)
        : reader_(names), reporters_(rules) {}

    /// VictoriaMetrics returns a staleness marker as a last sample that is NaN. Before `add`.
    void set_nan_ends_series(bool value) noexcept {
        nan_ends_series_ = value;
        reader_.set_nan_ends_series(value);
    }

    /// The answer to `promql::KubeStateQueries::reporting`: some instance reports pods, maybe only
    /// of other namespaces. Without it, the last pods of these namespaces are never gone. Before
    /// `finish`.
    void set_reporting(bool value) noexcept { reports_other_pods_ = value; }

    /// The answer may lack series, so no pod is gone because of it. Before `finish`.
    void mark_incomplete() noexcept { is_complete_ = false; }

    /// Adds a series of the answer. Ignores what is not a series of a pod.
    void add(const prometheus::SeriesView& series) {
        std::optional<KubePodSeries> read = reader_.read(series);
        if (!read)
            return;
        read->reporter = reporters_.number_of(series);
        reporters_.add(*read);
        Known& known = pods_[read->namespace_name][read->pod];
        known.series.push_back(*std::move(read));
    }

    /// True if no series of a pod was added.
    bool empty() const noexcept { return pods_.empty(); }

    /// True if a pod of one of these namespaces was added. If not, the labels may have their other
    /// names: `promql::without_honor_labels`.
    bool has_pods_of(std::span<const std::string> namespaces) const {
        return std::ranges::any_of(
            namespaces, [this](const std::string& name) { return pods_.contains(name); });
    }

    /// True if pods are known, but no instance that reported them reports at the moment: then
    /// `set_reporting` decides whether they are gone. Before `finish`.
    bool needs_reporting(samples::ServerTime now) {
        if (empty())
            return false;
        reporters_.judge(now, false, samples::ServerDuration::zero());
        return !reporters_.is_reporting();
    }

    /// Judges the pods, once. `now`: the time at which the servers' own series are judged.
    void finish(samples::ServerTime now) {
        reporters_.judge(now, reports_other_pods_,
                         nan_ends_series_ ? hidden_by_victoria_metrics : samples::ServerDuration());
        is_reporting_ = reporters_.is_reporting();
        for (auto& [namespace_name, pods] : pods_) {
            const std::set<std::size_t> replaced = replaced_reporters(pods);
            for (auto& [name, known] : pods) {
                judge(known, replaced);
                known.series = {};
            }
        }
    }

    /// Adds the pods of another answer. Both are finished. Of two judgements of a pod, the one with
    /// the newer report counts; then one that knows whether it is gone.
    void merge(KubePods&& other) {
        is_reporting_ = is_reporting_ || other.is_reporting_;
        for (auto& [namespace_name, pods] : other.pods_) {
            Pods& own = pods_[namespace_name];
            for (auto& [name, known] : pods) {
                const auto [found, is_new] = own.try_emplace(name);
                if (is_new || rank(found->second.pod) < rank(known.pod))
                    found->second.pod = std::move(known.pod);
            }
        }
    }

    /// What is known of a pod; null if it was not reported. Valid until the next change.
    const Pod* find(std::string_view namespace_name, std::string_view pod) const {
        const auto pods = pods_.find(namespace_name);
        if (pods == pods_.end())
            return nullptr;
        const auto found = pods->second.find(pod);
        return found == pods->second.end() ? nullptr : &found->second.pod;
    }

    /// The pods of a namespace that exist, sorted. Valid until the next change.
    std::vector<std::string_view> existing_pods(std::string_view namespace_name) const {
        std::vector<std::string_view> names;
        if (const auto pods = pods_.find(namespace_name); pods != pods_.end())
            for (const auto& [name, known] : pods->second)
                if (known.pod.exists)
                    names.emplace_back(name);
        return names;
    }

    /// Some instance of kube-state-metrics reports pods at the moment.
    bool is_reporting() const noexcept { return is_reporting_; }

private:
    struct Known {
        Pod pod;
        std::vector<KubePodSeries> series; ///< Until `finish`.
    };
    using Pods = std::map<std::string, Known, std::less<>>;

    /// Of two judgements by the same report, the later one knows how long none followed.
    static std::tuple<samples::ServerTime, bool, bool> rank(const Pod& pod) noexcept {
        return {pod.last, pod.gone, pod.exists};
    }

    /// The newest samples that an instant query of VictoriaMetrics hides, by default.
    static constexpr samples::ServerDuration hidden_by_victoria_metrics = std::chrono::seconds(30);

    /// The instances that do not report, if another one that does reports some of the same pods of
    /// the namespace: it took their place, so it would report their other pods too. Without a
    /// common pod it may be responsible for others.
    std::set<std::size_t> replaced_reporters(const Pods& pods) const {
        std::set<std::size_t> replaced;
        std::set<std::string_view> living;
        for (const auto& [name, known] : pods) {
            living.clear();
            for (const KubePodSeries& series : known.series)
                if (reporters_.is_living(series))
                    living.insert(series.uid);
            for (const KubePodSeries& series : known.series)
                if (!reporters_.is_up(series) && living.contains(series.uid))
                    replaced.insert(series.reporter);
        }
        return replaced;
    }

    void judge(Known& known, const std::set<std::size_t>& replaced) const {
        Pod& pod = known.pod;
        pod.is_missed = true;
        for (const KubePodSeries& series : known.series) {
            pod.last = std::max(pod.last, series.last);
            if (!reporters_.is_living(series))
                continue;
            pod.exists = true;
            pod.is_missed = pod.is_missed && !reporters_.is_in_newest_scrape(series);
        }
        pod.is_missed = pod.is_missed && pod.exists;
        // Who reported it last knows best: it may have moved from one instance to another.
        pod.gone = is_complete_ && !pod.exists &&
                   std::ranges::all_of(known.series, [&](const KubePodSeries& series) {
                       return series.last < pod.last || reporters_.is_up(series) ||
                              replaced.contains(series.reporter);
                   });
        pod.ready = readiness_of(known.series);
        pod.owner = owner_of(std::move(known.series));
    }

    /// By the newest living series. Two that contradict each other: not ready.
    std::optional<bool> readiness_of(const std::vector<KubePodSeries>& all) const {
        std::optional<bool> ready;
        samples::ServerTime newest{};
        for (const KubePodSeries& series : all) {
            if (!series.ready || !reporters_.is_living(series))
                continue;
            if (!ready || series.last > newest)
                ready = series.ready;
            else if (series.last == newest)
                ready = *ready && *series.ready;
            newest = std::max(newest, series.last);
        }
        return ready;
    }

    /// By the newest living series, or else by the newest; then the first by kind and name.
    std::optional<PodOwner> owner_of(std::vector<KubePodSeries> all) const {
        std::erase_if(all, [](const KubePodSeries& series) { return !series.owner; });
        const auto rank = [this](const KubePodSeries& series) {
            return std::make_tuple(!reporters_.is_living(series), -series.last.time_since_epoch(),
                                   std::string_view(series.owner->kind),
                                   std::string_view(series.owner->name));
        };
        const auto best = std::ranges::min_element(all, {}, rank);
        return best == all.end() ? std::nullopt : std::move(best->owner);
    }

    KubePodSeriesReader reader_;
    KubeReporters reporters_;
    /// By namespace, then by name.
    std::map<std::string, Pods, std::less<>> pods_;
    bool nan_ends_series_ = false;
    bool reports_other_pods_ = false;
    bool is_complete_ = true;
    bool is_reporting_ = false;
};

} // namespace wva_metrics::detail
