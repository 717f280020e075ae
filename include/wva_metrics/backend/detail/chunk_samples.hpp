// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// Sorts the series of the answers about one chunk of models into views. Series of other models are
/// ignored.
class ChunkSamples {
public:
    /// The plan and the labels must outlive it.
    ChunkSamples(const promql::QueryPlan& plan, promql::ModelChunk chunk,
                 const EngineLabels& labels, samples::ViewTable views)
        : plan_(plan), chunk_(chunk), labels_(labels), views_(std::move(views)) {}

    /// A series of the answer to the query for samples.
    void add(const prometheus::SeriesView& series) {
        std::optional<std::size_t> model;
        if (const std::string_view id = series.label(labels_.model); !id.empty()) {
            model = plan_.find(chunk_, series.label(labels_.namespace_name), id);
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
        if (const auto model = plan_.find(chunk_, series.label(labels_.namespace_name),
                                          series.label(labels_.model)))
            views_.add_living(*model, series.labels);
    }

    /// True if the answer has more series of models that were not requested than of others.
    bool is_mostly_unrequested() const noexcept { return unrequested_ > requested_; }

    samples::ViewTable& views() noexcept { return views_; }

private:
    /// A native histogram is stored as one series, and counts as the two of a classic one.
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
    }

    const promql::QueryPlan& plan_;
    const promql::ModelChunk chunk_;
    const EngineLabels& labels_;
    samples::ViewTable views_;
    std::size_t requested_ = 0;
    std::size_t unrequested_ = 0;
};

} // namespace wva_metrics::detail
