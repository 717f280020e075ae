// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/samples/detail/finish_view.hpp"
#include "wva_metrics/samples/detail/server_labels.hpp"
#include "wva_metrics/samples/detail/target_index.hpp"
#include "wva_metrics/samples/detail/target_labels.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
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

/// The `up` of a target of which no model has samples.
struct TargetUp {
    Labels labels{};               ///< Its labels, without the name.
    std::vector<Sample> samples{}; ///< See `View::up`; at least one.
    std::string pod{};             ///< See `View::pod`.
    std::string pod_label{};       ///< See `View::pod_label`.
    std::string address{};         ///< See `View::address`.
};

/// Sorts the series of one answer into views, by model: a view is all series of a model that share
/// every label that the server does not write. The order in which series and labels come does not
/// matter.
///
/// Of the series without samples of a signal, these are kept: `up`, and what identifies a process,
/// which is `process_start_time_seconds` and names that end in `_created`. They belong to the views
/// of their own address (without one, of their own pod) that have all of their labels. Other metrics
/// are ignored.
///
/// **Threads:** one at a time.
class ViewTable {
public:
    /// `metrics` and `rules` must outlive this. The labels of the engine are those that the server
    /// writes; so are `finished_reason`, `le` and `quantile`.
    ViewTable(const MetricSet& metrics, const EngineLabels& labels, const SampleRules& rules)
        : metrics_(metrics), rules_(rules), model_label_(labels.model),
          server_labels_(labels.engine) {
        server_labels_.insert(server_labels_.end(), detail::division_labels.begin(),
                              detail::division_labels.end());
        for (const SignalSource& source : metrics.sources(Signal::running))
            running_.push_back(source.metric);
        std::ranges::sort(running_);
    }

    /// Whether a last sample that is NaN says that the series has ended, and is no sample. True of
    /// VictoriaMetrics; on Prometheus it is a value. Applies to the series that are added later.
    void set_nan_ends_series(bool ends) noexcept { nan_ends_series_ = ends; }

    /// Adds a series with its samples, whose times must ascend. `model` is any number of the
    /// caller's; empty for a series without a model, such as `up`. `labels` are as sent, each name
    /// once, with `__name__`.
    ///
    /// A series that is added twice is kept once, with the newest samples.
    void add(std::optional<std::size_t> model, std::span<const LabelView> labels,
             std::span<const Sample> samples) {
        if (samples.empty())
            return;
        split(labels);
        const std::optional<MetricId> metric = metrics_.find(name_);
        if (metric && model)
            add_signal(*model, *metric, samples);
        else if (!metric && name_ == "up")
            add_up(model, samples);
        else if (!metric && is_identity(name_))
            add_identity(model, samples);
    }

    /// Adds a series of `Signal::running` that has not ended, as the answer to the query for what
    /// lives has it. Before or after its samples.
    void add_living(std::size_t model, std::span<const LabelView> labels) {
        split(labels);
        if (const std::optional<MetricId> metric = metrics_.find(name_))
            entry(model).living.push_back({*metric, copy(server_)});
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
        std::map<std::size_t, std::vector<View>> models;
        for (Entry& found : entries_) {
            if (found.view.series.empty())
                continue;
            std::ranges::sort(found.living);
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

    /// Sorts labels into the name, the server's and the target's. An empty value is no label.
    void split(std::span<const LabelView> labels) {
        name_ = {};
        server_.clear();
        target_.clear();
        for (const LabelView& label : labels) {
            if (label.name == "__name__")
                name_ = label.value;
            else if (label.value.empty() || label.name == model_label_)
                continue;
            else if (std::ranges::find(server_labels_, label.name) != server_labels_.end())
                server_.push_back(label);
            else
                target_.push_back(label);
        }
        for (std::vector<LabelView>* part : {&server_, &target_})
            if (!std::ranges::is_sorted(*part, {}, &LabelView::name))
                std::ranges::sort(*part, {}, &LabelView::name);
    }

    static Labels copy(std::span<const LabelView> labels) {
        Labels result;
        result.reserve(labels.size());
        for (const LabelView& label : labels)
            result.emplace_back(label.name, label.value);
        return result;
    }

    /// The size comes first, because a text may hold any byte.
    void append_to_key(std::string_view text) {
        for (std::size_t size = text.size(); size > 0; size >>= 7U)
            key_ += static_cast<char>(size & 0x7FU);
        key_ += '\xFF';
        key_ += text;
    }

    /// The entry of the target labels that were split last.
    Entry& entry(std::optional<std::size_t> model) {
        // One text is faster to compare than many.
        key_ = model ? std::to_string(*model) : std::string();
        key_ += '\xFF';
        for (const LabelView& label : target_) {
            append_to_key(label.name);
            append_to_key(label.value);
        }
        const auto [found, is_new] = index_.try_emplace(key_, entries_.size());
        if (!is_new)
            return entries_[found->second];
        Entry& added = entries_.emplace_back(Entry{model, View{}});
        added.view.labels = copy(target_);
        added.view.pod_label = detail::first_label(added.view.labels, rules_.pod);
        added.view.pod = find_label(added.view.labels, added.view.pod_label);
        added.view.address = detail::first_address(added.view.labels, rules_.address);
        return added;
    }

    void add_signal(std::size_t model, MetricId metric, std::span<const Sample> samples) {
        bool has_ended = false;
        while (nan_ends_series_ && !samples.empty() && std::isnan(samples.back().value)) {
            has_ended = true;
            samples = samples.first(samples.size() - 1);
        }
        // What ended before the window is as if it had never been.
        if (samples.empty())
            return;
        entry(model).view.series.push_back(
            {metric, copy(server_), std::vector(samples.begin(), samples.end()), has_ended});
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
            ProcessIdentity said{std::string(name_), sample.value};
            if (identity.empty() || identity.back() != said)
                identity.push_back(std::move(said));
        }
    }

    /// Calls `use(target, view)` for all entries that have `up` or an identity, and the views that
    /// they belong to.
    template <typename Use>
    void match(Use use) const {
        detail::TargetIndex index;
        for (std::size_t i = 0; i < entries_.size(); ++i)
            if (!entries_[i].view.series.empty())
                index.add(entries_[i].view, i);
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
    std::string model_label_;
    std::vector<std::string> server_labels_;
    std::vector<MetricId> running_;
    bool nan_ends_series_ = false;
    bool is_living_known_ = false;
    ServerTime asked_at_ = ServerTime::max();
    std::vector<Entry> entries_;
    /// By model and labels.
    std::unordered_map<std::string, std::size_t> index_;
    // The labels of the series that is being added; kept for their memory.
    std::string_view name_;
    std::vector<LabelView> server_;
    std::vector<LabelView> target_;
    std::string key_;
};

} // namespace wva_metrics::samples
