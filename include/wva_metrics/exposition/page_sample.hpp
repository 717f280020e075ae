// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/label_view.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace wva_metrics::exposition {

struct NativeHistogram;

/// One sample of a page. Its texts and its histogram live only during the call of the sink.
struct PageSample {
    /// As on the page, with the ending: `x_bucket`, `x_total`.
    std::string_view name{};
    /// The family to which a `# TYPE` line assigns the sample: `x`. Equals `name` without one.
    std::string_view family{};
    /// The family's type.
    FamilyType type = FamilyType::unknown;
    /// Without escapes, in the order of the page, each name once, without `__name__`.
    std::span<const LabelView> labels{};
    /// May be NaN or infinite. Of a native histogram: the count of its observations.
    double value = 0;
    /// Milliseconds since 1970, if the page gives a time. Few pages do: the time of the scrape is
    /// that of the sample then.
    std::optional<std::int64_t> timestamp_ms{};
    /// Since when a counter or a histogram counts, in milliseconds since 1970, if the format says it
    /// beside the sample. The series `_created` of OpenMetrics 1.0 are samples of their own.
    std::optional<std::int64_t> start_ms{};
    /// Null unless the sample is a native histogram.
    const NativeHistogram* histogram = nullptr;

    /// The value of a label; empty if it is not there.
    std::string_view label(std::string_view label_name) const noexcept {
        for (const LabelView& one : labels)
            if (one.name == label_name)
                return one.value;
        return {};
    }
};

} // namespace wva_metrics::exposition
