// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/samples/detail/finish_view.hpp"
#include "wva_metrics/samples/detail/info_series.hpp"
#include "wva_metrics/samples/detail/label_split.hpp"
#include "wva_metrics/samples/detail/target_index.hpp"
#include "wva_metrics/samples/detail/target_labels.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/target_up.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// Sorts the series of one answer into views, by model: a view is all series of a model that share
/// every label that the server does not write. The order in which series and labels come does not
/// matter.
///
/// Of the series without samples of a signal, these are kept: `up`, and what identifies a process,
/// which is `process_start_time_seconds` and names that end in `_created`. They belong to the views
/// of their own address (without one, of their own pod) that have all of their labels. Other metrics
/// are ignored.
///
/// A series whose number is in its labels (`MetricSet::factors`) has labels of its own and often no
/// model. It is a series of each view of its target all of whose labels it has.
///
/// **Threads:** one at a time.
class ViewTable {
public:
    /// `metrics` and `rules` must outlive this. The labels of the engine are those that the server
    /// writes; so are `finished_reason`, `le` and others that divide a metric. Series that differ only
    /// in `labels.copies` are one.
    ViewTable(const MetricSet& metrics, const EngineLabels& labels, const SampleRules& rules)
        : metrics_(metrics), rules_(rules), split_(metrics, labels), infos_(metrics, rules) {
        for (const SignalSource& source : metrics.sources(Signal::running))
            source.for_each_part([this](MetricId part) { running_.push_back(part); });
        std::ranges::sort(running_);
    }

    /// Whether a last sample that is NaN says that the series has ended, and is no sample. True of
    /// VictoriaMetrics; on Prometheus it is a value. Applies to the series that are added later.
    void set_nan_ends_series(bool ends) noexcept { nan_ends_series_ = ends; }

    /// Whether `has_ended` of the series that are added says all that there is to know.
    void set_end_known() noexcept { is_end_known_ = true; }

    /// True if a series with this name belongs to a signal.
    bool is_metric(std::string_view name) const noexcept { return metrics_.find(name).has_value(); }

    /// Adds a series with its samples, whose times must ascend. `model` is any number of the
    /// caller's; empty for a series without a model, such as `up`. `labels` are as sent, each name
    /// once, with `__name__`. `has_ended`: it is known to have no newer samples.
    ///
    /// `natives`: of a native histogram, one for each sample; see `Series::natives`.
    ///
    /// A series that is added twice is kept once, with the newest samples.
    void add(std::optional<std::size_t> model, std::span<const LabelView> labels,
             std::span<const Sample> samples, bool has_ended = false,
             std::span<const PackedNative> natives = {}) {
        if (samples.empty())
            return;
        split_.split(labels);
        if (split_.is_metric())
            split_.for_each_metric([&](MetricId metric) {
                if (!metrics_.factors(metric).empty())
                    infos_.add(model, metric, labels, split_, samples, has_ended);
                else if (model)
                    add_signal(*model, metric, samples, has_ended, natives);
            });
        else if (!split_.is_metric() && split_.name() == "up")
            add_up(model, samples);
        else if (!split_.is_metric() && is_identity(split_.name()))
            add_identity(model, samples);
    }

    /// Adds a series of `Signal::running` that has not ended, as the answer to the query for what
    /// lives has it. Before or after its samples.
    void add_living(std::size_t model, std::span<const LabelView> labels) {
        split_.split(labels);
        split_.for_each_metric([&](MetricId metric) {
            entry(model).living.push_back({metric, detail::copy_labels(split_.server())});
        });
    }

    /// All series of `Signal::running` that live have been added, or will be: others have ended.
    /// Not to be called if the server hides young series from such a query, or if it failed.
    ///
    /// `asked_at`: the time for which the query was evaluated. A series whose first samples were
    /// scraped just before and stored just after it is then not taken for one that has ended.
    void set_living_known(ServerTime asked_at = ServerTime::max()) noexcept {
        is_living_known_ = true;
        asked_at_ = asked_at;
    }

    /// The `up` of targets of which no view was added, e.g. because they are too busy to answer:
    /// sorted by labels. Not after `take`.
    std::vector<TargetUp> unmatched_up() const {
        std::vector<bool> is_matched(entries_.size());
        match([&](std::size_t target, std::size_t) { is_matched[target] = true; });
        std::vector<TargetUp> result;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const View& target = entries_[i].view;
            if (!target.up.empty() && target.series.empty() && !is_matched[i])
                result.push_back(
                    {target.labels, target.up, target.pod, target.pod_label, target.address});
        }
        std::ranges::sort(result, {}, &TargetUp::labels);
        return result;
    }

    /// The views of each model, sorted by labels. Call it once.
    std::map<std::size_t, std::vector<View>> take() && {
        join_targets();
        join_infos();
        std::map<std::size_t, std::vector<View>> models;
        for (Entry& found : entries_) {
            if (found.view.series.empty())
                continue;
            std::ranges::sort(found.living);
            found.view.is_end_known = is_end_known_ || nan_ends_series_;
            detail::drop_parts(found.view.series, metrics_);
            detail::finish_view(found.view, running_, is_living_known_ ? &found.living : nullptr,
                                asked_at_);
            models[*found.model].push_back(std::move(found.view));
        }
        for (auto& [model, views] : models)
            std::ranges::sort(views, {}, &View::labels);
        return models;
    }

private:
    /// All that has the same labels, apart from those that the server writes. A view, if it has
    /// series; else a target of which only `up` or the identity is known, or a series that lives.
    struct Entry {
        std::optional<std::size_t> model;
        View view;
        std::vector<detail::SeriesKey> living{};
    };

    static bool is_identity(std::string_view name) noexcept {
        return name == "process_start_time_seconds" || name.ends_with("_created");
    }

    /// The entry of the target labels that were split last.
    Entry& entry(std::optional<std::size_t> model) {
        // Servers sort an answer by metric, and the targets of each metric alike: most series belong to
        // the entry after that of the series before. To compare it takes less than a search.
        ++last_entry_;
        if (last_entry_ >= entries_.size() || entries_[last_entry_].model != model ||
            !split_.has_target(entries_[last_entry_].view.labels))
            last_entry_ = search(model);
        return entries_[last_entry_];
    }

    /// The number of that entry, which is made if it is not there.
    std::size_t search(std::optional<std::size_t> model) {
        // One text is faster to compare than many.
        key_ = model ? std::to_string(*model) : std::string();
        key_ += '\xFF';
        for (const LabelView& label : split_.target()) {
            detail::append_with_size(key_, label.name);
            detail::append_with_size(key_, label.value);
        }
        const auto [found, is_new] = index_.try_emplace(key_, entries_.size());
        if (!is_new)
            return found->second;
        Entry& added = entries_.emplace_back(Entry{model, View{}});
        added.view.labels = detail::copy_labels(split_.target());
        added.view.pod_label = detail::first_label(added.view.labels, rules_.pod);
        added.view.pod = find_label(added.view.labels, added.view.pod_label);
        added.view.address = detail::first_address(added.view.labels, rules_.address);
        return found->second;
    }

    void add_signal(std::size_t model, MetricId metric, std::span<const Sample> samples,
                    bool has_ended, std::span<const PackedNative> natives) {
        while (nan_ends_series_ && !samples.empty() && std::isnan(samples.back().value)) {
            has_ended = true;
            samples = samples.first(samples.size() - 1);
        }
        natives = natives.first(std::min(natives.size(), samples.size()));
        // What ended before the window is as if it had never been.
        if (samples.empty())
            return;
        entry(model).view.series.push_back({metric, detail::copy_labels(split_.server()),
                                            std::vector(samples.begin(), samples.end()), has_ended,
                                            detail::copy_labels(split_.copy()),
                                            std::vector(natives.begin(), natives.end())});
    }

    void join_infos() {
        if (infos_.empty())
            return;
        infos_.join(index_of_views(), [this](std::size_t i) -> Entry& { return entries_[i]; });
    }

    /// The views, by their targets.
    detail::TargetIndex index_of_views() const {
        detail::TargetIndex index;
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (!entries_[i].view.series.empty())
                index.add(entries_[i].view, i);
        return index;
    }

    /// A last value that is NaN stays: it says that the target is no longer scraped.
    void add_up(std::optional<std::size_t> model, std::span<const Sample> samples) {
        std::vector<Sample>& up = entry(model).view.up;
        if (up.empty() || up.back().time < samples.back().time)
            up.assign(samples.begin(), samples.end());
    }

    void add_identity(std::optional<std::size_t> model, std::span<const Sample> samples) {
        std::vector<ProcessIdentity>& identity = entry(model).view.identity;
        for (const Sample& sample : samples) {
            // A server that does not know its start says zero.
            if (!std::isfinite(sample.value) || sample.value <= 0)
                continue;
            ProcessIdentity said{std::string(split_.name()), sample.value};
            if (identity.empty() || identity.back() != said)
                identity.push_back(std::move(said));
        }
    }

    /// Calls `use(target, view)` for all entries that have `up` or an identity, and the views that
    /// they belong to.
    template <typename Use>
    void match(Use use) const {
        const detail::TargetIndex index = index_of_views();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const Entry& target = entries_[i];
            if (target.view.up.empty() && target.view.identity.empty())
                continue;
            for (const std::size_t candidate : index.find(target.view)) {
                const Entry& found = entries_[candidate];
                if (candidate != i && (!target.model || target.model == found.model) &&
                    detail::contains_labels(found.view.labels, target.view.labels))
                    use(i, candidate);
            }
        }
    }

    void join_targets() {
        std::vector<std::pair<std::size_t, std::size_t>> pairs;
        match([&](std::size_t target, std::size_t view) { pairs.emplace_back(target, view); });
        // First all are found, because what a view is given must not be passed on.
        std::vector<std::vector<ProcessIdentity>> own(entries_.size());
        for (const auto& [target, view] : pairs)
            own[target] = entries_[target].view.identity;
        for (const auto& [target, view] : pairs) {
            View& joined = entries_[view].view;
            joined.identity.insert(joined.identity.end(), own[target].begin(), own[target].end());
            const std::vector<Sample>& up = entries_[target].view.up;
            if (joined.up.empty() || (!up.empty() && joined.up.back().time < up.back().time))
                joined.up = up;
        }
        for (Entry& found : entries_) {
            std::vector<ProcessIdentity>& identity = found.view.identity;
            std::ranges::sort(identity);
            identity.erase(std::unique(identity.begin(), identity.end()), identity.end());
        }
    }

    const MetricSet& metrics_;
    const SampleRules& rules_;
    detail::LabelSplit split_;
    std::vector<MetricId> running_;
    bool nan_ends_series_ = false;
    bool is_living_known_ = false;
    bool is_end_known_ = false;
    ServerTime asked_at_ = ServerTime::max();
    std::vector<Entry> entries_;
    /// The entry of the series before.
    std::size_t last_entry_ = 0;
    detail::InfoTable infos_;
    /// By model and labels.
    std::unordered_map<std::string, std::size_t> index_;
    /// The key of the series that is being added; kept for its memory.
    std::string key_;
};

} // namespace wva_metrics::samples
