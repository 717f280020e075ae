// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/text_parser.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"
#include "wva_metrics/label_view.hpp"
#include "wva_metrics/testing/detail/promql/label_set.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// One sample of a page in the text format of Prometheus.
struct ExpositionSample {
    /// The labels, with the metric name.
    LabelSet series;
    /// The number, which may be NaN.
    double value = 0;
    /// The time in the line; most lines have none.
    std::optional<Milliseconds> time;
};

/// Parses a page in the text format 0.0.4 of Prometheus; comments, types and help are skipped.
///
/// Errors: `bad_response` with the line's number, and `too_large`; see `exposition::TextParser`. As in
/// Prometheus, one invalid line makes the whole page invalid.
inline Result<std::vector<ExpositionSample>> parse_exposition_page(std::string_view page) {
    std::vector<ExpositionSample> samples;
    const auto add = [&samples](const exposition::PageSample& read) {
        ExpositionSample sample{{}, read.value, read.timestamp_ms};
        sample.series.set(LabelSet::metric_name, read.name);
        for (const LabelView& label : read.labels)
            sample.series.set(label.name, label.value);
        samples.push_back(std::move(sample));
    };
    // The page of a simulated fleet holds the series of all its pods.
    exposition::PageLimits limits;
    limits.max_page_bytes = std::size_t{1} << 30;
    limits.max_samples = 100'000'000;
    const Result<void> parsed = exposition::parse_text(
        page, exposition::TextFormat::prometheus_0_0_4, add, exposition::WantedMetrics(), limits);
    if (parsed.has_error())
        return parsed.error();
    return samples;
}

} // namespace wva_metrics::testing::detail
