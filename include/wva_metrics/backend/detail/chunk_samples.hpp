// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/samples/listed_native.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// A series of `Signal::running` that has not ended.
struct LivingSeries {
    std::size_t model = 0;    ///< Its model in the plan.
    samples::Labels labels{}; ///< All of its labels.
};

/// Sorts the series of the answers about one chunk of models into views. Series of other models are
/// ignored.
class ChunkSamples {
public:
    /// The labels must outlive it.
    ChunkSamples(std::shared_ptr<const promql::QueryPlan> plan, promql::ModelChunk chunk,
                 const EngineLabels& labels, samples::ViewTable views)
        : plan_(std::move(plan)), chunk_(chunk), labels_(labels), views_(std::move(views)) {}

    /// A series of the answer to the query for samples.
    void add(const prometheus::SeriesView& series) {
        std::optional<std::size_t> model;
        if (const std::string_view id = series.label(labels_.model); !id.empty()) {
            model = plan_->find(chunk_, series.label(labels_.namespace_name), id);
            if (!model) {
                ++unrequested_;
                return;
            }
            ++requested_;
        }
        if (!series.samples.empty())
            views_.add(model, series.labels, series.samples);
        if (!series.histograms.empty())
            add_histogram(model, series);
    }

    /// A series of the answer to the query for living series.
    void add_living(const prometheus::SeriesView& series) {
        if (series.labels.empty())
            return; // The element that carries the time.
        const auto model =
            plan_->find(chunk_, series.label(labels_.namespace_name), series.label(labels_.model));
        if (!model)
            return;
        LivingSeries& living = living_.emplace_back();
        living.model = *model;
        living.labels.reserve(series.labels.size());
        for (const samples::LabelView& label : series.labels)
            living.labels.emplace_back(label.name, label.value);
        views_.add_living(*model, series.labels);
    }
    /// The same, as an earlier answer had it.
    void add_living(const LivingSeries& series) {
        std::vector<samples::LabelView> labels;
        for (const auto& [name, value] : series.labels)
            labels.push_back({name, value});
        views_.add_living(series.model, labels);
    }
    /// All series were added that lived at this time.
    void set_living_known(samples::ServerTime at) { views_.set_living_known(at); }

    /// True if the answer has more series of models that were not requested than of others.
    bool is_mostly_unrequested() const noexcept { return unrequested_ > requested_; }

    /// The living series that were added. Call once.
    std::vector<LivingSeries> take_living() { return std::move(living_); }
    /// The `up` of targets that have no other series.
    std::vector<samples::TargetUp> unmatched_up() const { return views_.unmatched_up(); }
    /// The views by model of the plan. Call once.
    std::map<std::size_t, std::vector<samples::View>> take_views() && {
        return std::move(views_).take();
    }

private:
    /// A native histogram is stored as one series, and counts as the two of a classic one, and if its
    /// buckets are needed, as itself.
    void add_histogram(std::optional<std::size_t> model, const prometheus::SeriesView& series) {
        const std::string name(series.label("__name__"));
        std::vector<samples::LabelView> labels(series.labels.begin(), series.labels.end());
        std::vector<samples::Sample> part;
        const auto add_part = [&](const std::string& ending,
                                  double prometheus::HistogramSample::*member) {
            const std::string part_name = name + ending;
            for (samples::LabelView& label : labels)
                if (label.name == "__name__")
                    label.value = part_name;
            part.clear();
            for (const prometheus::HistogramSample& sample : series.histograms)
                part.push_back({sample.time, sample.*member});
            views_.add(model, labels, part);
        };
        add_part("_count", &prometheus::HistogramSample::count);
        add_part("_sum", &prometheus::HistogramSample::sum);
        // Only if a quantile is chosen.
        if (views_.is_metric(name))
            add_buckets(model, series);
    }

    void add_buckets(std::optional<std::size_t> model, const prometheus::SeriesView& series) {
        std::vector<samples::Sample> counts;
        std::vector<samples::ListedNative> listed;
        std::size_t at = 0;
        for (const prometheus::HistogramSample& sample : series.histograms) {
            counts.push_back({sample.time, sample.count});
            listed.push_back(
                {sample.count, sample.sum, series.buckets.subspan(at, sample.buckets)});
            at += sample.buckets;
        }
        if (const std::vector<samples::PackedNative> natives = samples::pack_listed(listed);
            !natives.empty())
            views_.add(model, series.labels, counts, false, natives);
    }

    const std::shared_ptr<const promql::QueryPlan> plan_;
    const promql::ModelChunk chunk_;
    const EngineLabels& labels_;
    samples::ViewTable views_;
    std::vector<LivingSeries> living_;
    std::size_t requested_ = 0;
    std::size_t unrequested_ = 0;
};

} // namespace wva_metrics::detail
